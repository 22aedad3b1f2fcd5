import './style.css';
import { find } from 'atlas';
import { say } from 'words';
import { clock } from './shared/clock.js';
import { rows } from './board.js';

document.querySelector('#now').textContent = `${say('now')}: ${clock(new Date())} ${find(location.hash)}`;
document.querySelector('#board').innerHTML = rows().map((row) => `<li>${row}</li>`).join('');
document.querySelector('#plan').addEventListener('click', async () => {
  const { plan } = await import('./route.js');
  plan(document.body);
});
