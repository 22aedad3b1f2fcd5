import{a as o}from"./chunks/chunk-HUZJ2UMC.js";import{a as e}from"./chunks/chunk-FZH6X2LU.js";import{a as t}from"./chunks/chunk-YLVBUUYE.js";document.title=`${o("office")} ${t(new Date)}`;document.body.textContent=e().reverse().join(`
`);import("./chunks/audit-K2OVGU4G.js").then(({audit:r})=>r());
