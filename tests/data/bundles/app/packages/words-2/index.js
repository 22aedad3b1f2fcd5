const WORDS = new Map([
  ['now', 'It is now'],
  ['later', 'It will be'],
  ['office', 'Timetable office'],
]);

export function say(name, fallback = name) {
  return WORDS.get(name) || fallback;
}
