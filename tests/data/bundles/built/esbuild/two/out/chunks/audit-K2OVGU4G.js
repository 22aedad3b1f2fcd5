import{a as o}from"./chunk-FZH6X2LU.js";import"./chunk-YLVBUUYE.js";function n(){console.table(o().map(t=>({row:t,length:t.length})))}export{n as audit};
