var o=new Map([["now","It is now"],["later","It will be"],["office","Timetable office"]]);function i(e,t=e){return o.get(e)||t}export{i as a};
