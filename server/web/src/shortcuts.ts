// Which keys are the page's own, and not the shell's. Pure.

export type Platform = 'mac' | 'windows' | 'other';

export type Command = 'find' | 'copy' | 'paste' | 'larger' | 'smaller' | 'usual' | 'settings' | 'menu' | 'text';

/** The part of a keyboard event that counts here. */
export interface Key {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

export function platform(name: string): Platform {
  if (/mac|iphone|ipad/i.test(name)) return 'mac';
  return /win/i.test(name) ? 'windows' : 'other';
}

/** With Ctrl and Shift, or on a Mac with Cmd: Ctrl and a letter alone are the shell's. */
const LETTERS: Record<string, Command> = { c: 'copy', v: 'paste', f: 'find' };
/** With Ctrl and Shift, or on a Mac with Cmd and Shift: Cmd alone has another meaning there. */
const SHIFTED: Record<string, Command> = { m: 'menu', x: 'text' };
const SIZES: Record<string, Command> = { '+': 'larger', '=': 'larger', '-': 'smaller', '0': 'usual' };

/** What the page does at this key; null: it is the shell's. */
export function command(event: Key, on: Platform, selected: boolean): Command | null {
  if (event.altKey) return null;
  const mac = on === 'mac';
  const main = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  const key = letter(event);
  if (event.key === 'Insert' && !mac && !event.metaKey) {
    if (event.shiftKey && !event.ctrlKey) return 'paste';
    if (event.ctrlKey && !event.shiftKey && selected) return 'copy';
  }
  if (!main) return null;
  if (event.code === 'Comma' && event.shiftKey !== mac) return 'settings';
  const size = SIZES[event.key];
  if (size !== undefined && (!event.shiftKey || event.key === '+')) return size;
  if (event.shiftKey) return SHIFTED[key] ?? (mac ? null : LETTERS[key]) ?? null;
  if (mac) return LETTERS[key] ?? null;
  // As Windows' own terminal has it; elsewhere these two are the shell's whatever is selected.
  if (on === 'windows') return key === 'v' ? 'paste' : key === 'c' && selected ? 'copy' : null;
  return null;
}

/** The letter, on a keyboard without Latin letters that of its place. */
export function letter({ key, code }: Key): string {
  return /^[a-z]$/i.test(key) || !code.startsWith('Key') ? key.toLowerCase() : code.slice(3).toLowerCase();
}

const NAMES: Record<Command, [string, string]> = {
  find: ['Ctrl+Shift+F', '⌘F'],
  copy: ['Ctrl+Shift+C', '⌘C'],
  paste: ['Ctrl+Shift+V', '⌘V'],
  larger: ['Ctrl++', '⌘+'],
  smaller: ['Ctrl+-', '⌘-'],
  usual: ['Ctrl+0', '⌘0'],
  settings: ['Ctrl+Shift+,', '⌘,'],
  menu: ['Ctrl+Shift+M', '⇧⌘M'],
  text: ['Ctrl+Shift+X', '⇧⌘X'],
};

/** How the keys of a command are called in front of people. */
export function keysOf(command: Command, on: Platform): string {
  return NAMES[command][on === 'mac' ? 1 : 0];
}
