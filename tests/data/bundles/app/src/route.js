import './route.css';
import { sign } from '@post/letters';
import { minutes } from './shared/clock.js';

export function plan(where) {
  const answer = prompt('When do you want to arrive?', '08:00');
  const note = document.createElement('p');
  note.className = 'route';
  note.textContent = sign(`be at the stop ${minutes(answer) - 25} minutes after midnight`);
  where.append(note);
}
