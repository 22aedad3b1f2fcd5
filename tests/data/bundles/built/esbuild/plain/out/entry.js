import {
  clock
} from "./chunks/chunk.js";

// node_modules/words/index.js
var WORDS = /* @__PURE__ */ new Map([
  ["now", "It is now"],
  ["later", "It will be"],
  ["office", "Timetable office"]
]);
function say(name, fallback = name) {
  return WORDS.get(name) || fallback;
}

// src/board.js
var LINES = [
  ["Harbour", 7, 12],
  ["Market square", 7, 31],
  ["University \u2013 north gate", 8, 4],
  ["Hospital", 8, 45]
];
function rows() {
  return LINES.map(([where, hour, minute]) => `${clock(new Date(2020, 0, 1, hour, minute))} ${where}`);
}

// src/entry.js
document.querySelector("#now").textContent = `${say("now")}: ${clock(/* @__PURE__ */ new Date())}`;
document.querySelector("#board").innerHTML = rows().map((row) => `<li>${row}</li>`).join("");
document.querySelector("#plan").addEventListener("click", async () => {
  const { plan } = await import("./chunks/route.js");
  plan(document.body);
});
