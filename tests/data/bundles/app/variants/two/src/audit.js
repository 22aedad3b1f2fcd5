import { rows } from './board.js';

export function audit() {
  console.table(rows().map((row) => ({ row, length: row.length })));
}
