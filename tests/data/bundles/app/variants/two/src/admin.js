import { say } from 'words';
import { clock } from './shared/clock.js';
import { rows } from './board.js';

document.title = `${say('office')} ${clock(new Date())}`;
document.body.textContent = rows().reverse().join('\n');
import('./audit.js').then(({ audit }) => audit());
