import { clock } from './shared/clock.js';

const LINES = [
  ['Harbour', 7, 12],
  ['Market square', 7, 31],
  ['University – north gate', 8, 4],
  ['Hospital', 8, 45],
];

export function rows() {
  return LINES.map(([where, hour, minute]) => `${clock(new Date(2020, 0, 1, hour, minute))} ${where}`);
}
