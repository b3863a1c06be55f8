// The clipboard of the device, by the browser's modern way, and by its old one where that is refused or missing, as on
// pages without TLS.

import { make } from './elements.ts';

/** Whether the text is in the clipboard now. */
export async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyCommand(text);
  }
}

/** null where the browser or the person in front of it does not let it be read. */
export async function readClipboard(): Promise<string | null> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}

function copyCommand(text: string): boolean {
  const before = document.activeElement;
  const area = make('textarea', { class: 'unseen', readonly: true, 'aria-hidden': 'true' });
  area.value = text;
  // An open dialog makes all outside of it inert, so that nothing there can be selected.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
