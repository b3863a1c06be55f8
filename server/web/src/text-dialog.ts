// A terminal's lines as plain text, to read, select and search by keyboard, finger and screen reader; and its links.

import { writeClipboard } from './clipboard.ts';
import { openDialog } from './dialogs.ts';
import { make } from './elements.ts';
import { linksIn } from './links.ts';
import type { Terminal } from './terminal.ts';

/** The latest links are the ones that somebody looks for. */
const LINKS = 50;

export function openText(terminal: Terminal): void {
  const text = terminal.text(true);
  const area = make('textarea', { class: 'all-text', readonly: true, 'aria-label': 'All lines', spellcheck: 'false' });
  area.value = text;
  const links = linksIn(text).reverse().slice(0, LINKS);
  const list = make('ul', { class: 'links' }, ...links.map((url) =>
    make('li', {}, make('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, make('bdi', {}, url)))));
  const copy = make('button', { type: 'button' }, 'Copy all');
  const save = make('button', { type: 'button' }, 'Save …');
  const dialog = openDialog(
    'Text and links', links.length > 0 ? [area, make('h2', {}, 'Links'), list] : [area],
    [{ text: 'Close', value: '', primary: true }], 'wide',
  );
  dialog.querySelector('.buttons')?.prepend(copy, save);
  copy.onclick = async () => { copy.textContent = (await writeClipboard(text)) ? 'Copied' : 'Not allowed'; };
  save.onclick = () => download(text);
  area.focus();
  area.setSelectionRange(text.length, text.length);
  area.scrollTop = area.scrollHeight;
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain;charset=utf-8' }));
  make('a', { href: url, download: 'terminal.txt' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
