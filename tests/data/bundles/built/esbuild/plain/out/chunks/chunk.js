// src/shared/clock.js
var two = (number) => String(number).padStart(2, "0");
function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}
function minutes(text) {
  const [hour, minute] = text.split(":").map(Number);
  return hour * 60 + minute;
}

export {
  clock,
  minutes
};
