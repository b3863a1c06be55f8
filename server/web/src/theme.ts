// Which scheme is on: the chosen one of dark or light, as chosen or as the system has it. It colours the whole page.

import { Emitter } from './emitter.ts';
import { scheme, type Scheme } from './schemes.ts';
import { settings } from './settings.ts';

const system = matchMedia('(prefers-color-scheme: dark)');

class Look extends Emitter<{ change: Scheme }> {
  now: Scheme = this.chosen();

  constructor() {
    super();
    const update = (): void => this.update();
    system.addEventListener('change', update);
    settings.on('change', update);
    this.colourPage();
  }

  private chosen(): Scheme {
    const { appearance, dark, light } = settings.now;
    const wanted = appearance === 'system' ? system.matches : appearance === 'dark';
    return scheme(wanted ? dark : light, wanted);
  }

  private update(): void {
    const before = this.now;
    this.now = this.chosen();
    if (this.now === before) return;
    this.colourPage();
    this.emit('change', this.now);
  }

  private colourPage(): void {
    const { ground, text, accent, onAccent, dark, colours } = this.now;
    const { style } = document.documentElement;
    style.colorScheme = dark ? 'dark' : 'light';
    const colour = { ground, text, accent, 'on-accent': onAccent, warn: colours[3], bad: colours[1] };
    for (const [name, value] of Object.entries(colour)) style.setProperty(`--${name}`, value ?? text);
    // The browser's own bars, on phones.
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.setAttribute('content', ground);
  }
}

export const look = new Look();
