const two = (number) => String(number).padStart(2, '0');

export function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function minutes(text) {
  const [hour, minute] = text.split(':').map(Number);
  return hour * 60 + minute;
}
