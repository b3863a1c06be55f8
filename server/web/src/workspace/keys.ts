// The keys that are the workspace's: with Ctrl and Shift, on a Mac with Cmd and Shift. None of them is a shell's, nor
// one that a browser keeps to itself. Pure.

import { letter, type Key, type Platform } from '../shortcuts.ts';

export type Deed =
  | 'sessions' | 'new' | 'beside' | 'below' | 'close' | 'next tab' | 'previous tab' | 'next pane' | 'previous pane';

const KEYS: Record<string, Deed> = {
  l: 'sessions',
  enter: 'new',
  e: 'beside',
  o: 'below',
  backspace: 'close',
  arrowright: 'next tab',
  arrowleft: 'previous tab',
  arrowdown: 'next pane',
  arrowup: 'previous pane',
};

/** What the workspace does at this key; null: it is somebody else's. */
export function deed(event: Key, on: Platform): Deed | null {
  const { ctrlKey, shiftKey, altKey, metaKey } = event;
  const main = on === 'mac' ? metaKey && !ctrlKey : ctrlKey && !metaKey;
  return main && shiftKey && !altKey ? KEYS[letter(event)] ?? null : null;
}

const NAMES: Record<string, string> = {
  enter: 'Enter', backspace: 'Backspace', arrowright: '→', arrowleft: '←', arrowdown: '↓', arrowup: '↑',
};

/** How the keys of a deed are called in front of people. */
export function keysOf(wanted: Deed, on: Platform): string {
  const key = Object.keys(KEYS).find((one) => KEYS[one] === wanted) ?? '';
  const name = NAMES[key] ?? key.toUpperCase();
  return on === 'mac' ? `⇧⌘${name}` : `Ctrl+Shift+${name}`;
}
