// The keys that on-screen keyboards lack, in a row below the terminal. Ctrl and Alt hold for the next key. Pressing them
// leaves the keyboard where it is, up or down.

import { make } from './elements.ts';
import { icon } from './icons.ts';
import { modified, type Modifiers } from './modifiers.ts';
import { settings } from './settings.ts';
import type { Terminal } from './terminal.ts';

const touch = matchMedia('(hover: none) and (pointer: coarse)');

/** How long an arrow is held before it repeats, and how often then. Milliseconds. */
const HELD = 400;
const AGAIN = 60;

export class KeyBar {
  private readonly element: HTMLElement;
  private readonly held: Modifiers = { ctrl: false, alt: false };
  private readonly holders: Record<keyof Modifiers, HTMLElement>;
  private readonly ends: (() => void)[];

  constructor(parent: HTMLElement, private readonly terminal: Terminal, paste: () => void) {
    this.holders = { ctrl: this.holder('ctrl', 'Ctrl'), alt: this.holder('alt', 'Alt') };
    this.element = make(
      'div', { class: 'keybar', role: 'toolbar', 'aria-label': 'Keys' },
      this.key('Esc', '\x1b'), this.key('Tab', '\t'), this.holders.ctrl, this.holders.alt,
      this.arrow('left', 'D', 'Left'), this.arrow('down', 'B', 'Down'),
      this.arrow('up', 'A', 'Up'), this.arrow('right', 'C', 'Right'),
      pressed(make('button', { type: 'button', 'aria-label': 'Paste' }, icon('paste')), paste),
      ...['|', '/', '-', '~'].map((text) => this.key(text, text)),
      this.movement('Home', 'H'), this.movement('End', 'F'), this.key('PgUp', '\x1b[5~'), this.key('PgDn', '\x1b[6~'),
    );
    // Else the terminal would lose the keyboard, and the on-screen one would go down.
    this.element.addEventListener('mousedown', (event) => event.preventDefault());
    terminal.change = (typed) => this.apply(typed);
    const show = (): void => {
      const { keyBar } = settings.now;
      this.element.hidden = !(keyBar === 'always' || (keyBar === 'touch' && touch.matches));
    };
    touch.addEventListener('change', show);
    this.ends = [settings.on('change', show), () => touch.removeEventListener('change', show)];
    show();
    parent.append(this.element);
  }

  dispose(): void {
    for (const end of this.ends) end();
  }

  private apply(typed: string): string {
    if (!this.held.ctrl && !this.held.alt) return typed;
    const changed = modified(typed, this.held);
    if (changed !== typed) this.release();
    return changed;
  }

  private release(): void {
    for (const which of ['ctrl', 'alt'] as const) {
      this.held[which] = false;
      this.holders[which].setAttribute('aria-pressed', 'false');
    }
  }

  private send(keys: string): void {
    this.terminal.xterm.input(keys);
  }

  private key(text: string, keys: string): HTMLElement {
    return pressed(make('button', { type: 'button' }, text), () => this.send(keys));
  }

  private holder(which: keyof Modifiers, text: string): HTMLElement {
    const button = make('button', { type: 'button', 'aria-pressed': 'false' }, text);
    return pressed(button, () => {
      this.held[which] = !this.held[which];
      button.setAttribute('aria-pressed', String(this.held[which]));
    });
  }

  private arrow(name: 'left' | 'down' | 'up' | 'right', letter: string, label: string): HTMLElement {
    const button = make('button', { type: 'button', 'aria-label': label }, icon(name));
    return repeating(button, () => this.move(letter));
  }

  private movement(text: string, letter: string): HTMLElement {
    return pressed(make('button', { type: 'button' }, text), () => this.move(letter));
  }

  /** An arrow, Home or End in the form that the program has asked for. */
  private move(letter: string): void {
    this.send(`\x1b${this.terminal.xterm.modes.applicationCursorKeysMode ? 'O' : '['}${letter}`);
  }
}

function pressed(button: HTMLElement, act: () => void): HTMLElement {
  button.addEventListener('click', act);
  return button;
}

/** Acts again and again while it is held. */
function repeating(button: HTMLElement, act: () => void): HTMLElement {
  let timer = 0;
  let repeated = false;
  const again = (): void => {
    repeated = true;
    act();
    timer = window.setTimeout(again, AGAIN);
  };
  button.addEventListener('pointerdown', () => {
    repeated = false;
    timer = window.setTimeout(again, HELD);
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    button.addEventListener(end, () => clearTimeout(timer));
  }
  button.addEventListener('contextmenu', (event) => event.preventDefault()); // what holding means elsewhere
  return pressed(button, () => { if (!repeated) act(); });
}
