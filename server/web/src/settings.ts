// What a person has chosen, kept in this browser for all sessions of this server. A change is told to every view, and to
// the other tabs.

import { Emitter } from './emitter.ts';

export interface Settings {
  appearance: 'system' | 'light' | 'dark';
  /** The schemes of dark and light, by name. */
  dark: string;
  light: string;
  /** A font family; '' for the system's own. */
  font: string;
  /** CSS pixels. */
  fontSize: number;
  cursor: 'block' | 'bar' | 'underline';
  blink: boolean;
  bell: 'none' | 'seen' | 'heard';
  /** Whether programs may write to the clipboard (OSC 52). */
  copying: 'ask' | 'always' | 'never';
  /** Ask before several lines are pasted where each would be run at once. */
  pasteCheck: boolean;
  screenReader: boolean;
  keyBar: 'touch' | 'always' | 'never';
}

export const SMALLEST_FONT = 6;
export const LARGEST_FONT = 40;
const LONGEST_NAME = 100;

export const DEFAULTS: Settings = {
  appearance: 'system',
  dark: 'Night',
  light: 'Day',
  font: '',
  fontSize: 14,
  cursor: 'block',
  blink: false,
  bell: 'seen',
  copying: 'ask',
  pasteCheck: true,
  screenReader: false,
  keyBar: 'touch',
};

type Check = (value: unknown) => boolean;
const oneOf = (...values: string[]): Check => (value) => values.includes(value as string);
const flag: Check = (value) => typeof value === 'boolean';
const name: Check = (value) => typeof value === 'string' && value.length <= LONGEST_NAME;

const VALID: Record<keyof Settings, Check> = {
  appearance: oneOf('system', 'light', 'dark'),
  dark: name,
  light: name,
  font: name,
  fontSize: (value) => typeof value === 'number' && value >= SMALLEST_FONT && value <= LARGEST_FONT,
  cursor: oneOf('block', 'bar', 'underline'),
  blink: flag,
  bell: oneOf('none', 'seen', 'heard'),
  copying: oneOf('ask', 'always', 'never'),
  pasteCheck: flag,
  screenReader: flag,
  keyBar: oneOf('touch', 'always', 'never'),
};

/** Settings as they were written down, with the default in place of whatever is missing or makes no sense. */
export function parse(text: string | null): Settings {
  let written: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null) written = value as Record<string, unknown>;
  } catch {
    // Nothing was written, or by somebody else.
  }
  const good = Object.entries(VALID).filter(([key, valid]) => Object.hasOwn(written, key) && valid(written[key]));
  return { ...DEFAULTS, ...Object.fromEntries(good.map(([key]) => [key, written[key]])) };
}

const KEY = 'reconnectingpty.settings';

class Store extends Emitter<{ change: Settings }> {
  now: Settings = DEFAULTS;

  constructor() {
    super();
    if (typeof window === 'undefined') return; // tests without a browser
    this.now = this.read();
    addEventListener('storage', (event) => { if (event.key === KEY || event.key === null) this.take(this.read()); });
  }

  /** Change some of them. */
  set(some: Partial<Settings>): void {
    this.take({ ...this.now, ...some });
    try {
      localStorage.setItem(KEY, JSON.stringify(this.now));
    } catch {
      // Storage that is full or forbidden: they last as long as the page.
    }
  }

  private take(settings: Settings): void {
    this.now = settings;
    this.emit('change', settings);
  }

  private read(): Settings {
    try {
      return parse(localStorage.getItem(KEY));
    } catch {
      return DEFAULTS;
    }
  }
}

export const settings = new Store();
