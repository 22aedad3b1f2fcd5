const WORDS = { now: 'Right now', then: 'Later on', yours: 'Yours faithfully', dear: 'Dear traveller' };

export function word(name) {
  return WORDS[name] || name;
}
