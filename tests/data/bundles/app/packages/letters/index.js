import { word } from 'words';
import { forms } from './forms.js';

export function sign(text) {
  return `${word('dear')}, ${text}. ${forms[text.length % forms.length]} ${word('yours')}.`;
}
