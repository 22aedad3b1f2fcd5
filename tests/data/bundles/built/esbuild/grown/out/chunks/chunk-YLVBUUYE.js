var n=t=>String(t).padStart(2,"0");function u(t){return`${n(t.getHours())}:${n(t.getMinutes())}`}function e(t){let[r,o]=t.split(":").map(Number);return r*60+o}export{u as a,e as b};
