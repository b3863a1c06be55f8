// xterm.js, set up, as the screen that a client draws on.

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal as Xterm, type ITheme } from '@xterm/xterm';
import type { Screen } from './client.ts';

const DARK: ITheme = {
  background: '#15181d', foreground: '#e6edf3', cursor: '#4ec9a5', selectionBackground: '#2f4858',
  black: '#3b434d', red: '#ff7b72', green: '#56d364', yellow: '#e3b341', blue: '#79c0ff', magenta: '#d2a8ff', cyan: '#56d4dd', white: '#d0d7de',
  brightBlack: '#7d8590', brightRed: '#ffa198', brightGreen: '#7ee787', brightYellow: '#f2cc60', brightBlue: '#a5d6ff', brightMagenta: '#e2c5ff', brightCyan: '#8ddb8c', brightWhite: '#f6f8fa',
};
const LIGHT: ITheme = {
  background: '#fbfbfa', foreground: '#1f2328', cursor: '#0b6e4f', selectionBackground: '#cfe3f5',
  black: '#24292f', red: '#b42318', green: '#0f6d31', yellow: '#8a5a00', blue: '#0550ae', magenta: '#7a36c4', cyan: '#0b6a75', white: '#6e7781',
  brightBlack: '#57606a', brightRed: '#c93c30', brightGreen: '#1a7f37', brightYellow: '#9a6700', brightBlue: '#0969da', brightMagenta: '#8250df', brightCyan: '#1b7c83', brightWhite: '#424a53',
};

const encoder = new TextEncoder();

export class Terminal implements Screen {
  readonly xterm: Xterm;
  oninput: (data: Uint8Array) => void = () => {};
  onresize: () => void = () => {};
  ontitle: (title: string) => void = () => {};

  private readonly fit = new FitAddon();
  private own = { rows: 24, cols: 80 };

  constructor(element: HTMLElement) {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    this.xterm = new Xterm({
      allowProposedApi: true, scrollback: 5000, fontSize: 14, lineHeight: 1.15, cursorBlink: false, macOptionIsMeta: true,
      fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
      theme: dark.matches ? DARK : LIGHT, minimumContrastRatio: 4.5,
    });
    dark.addEventListener('change', () => { this.xterm.options.theme = dark.matches ? DARK : LIGHT; });
    this.xterm.loadAddon(this.fit);
    this.xterm.loadAddon(new Unicode11Addon());
    this.xterm.unicode.activeVersion = '11';
    this.xterm.loadAddon(new WebLinksAddon());
    this.xterm.open(element);
    this.useWebgl();
    this.xterm.onData((data) => this.oninput(encoder.encode(data)));
    this.xterm.onBinary((data) => this.oninput(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    this.xterm.onTitleChange((title) => this.ontitle(title));
    this.measure();
    new ResizeObserver(() => {
      const before = this.own;
      this.measure();
      if (before.rows !== this.own.rows || before.cols !== this.own.cols) this.onresize();
    }).observe(element);
    this.xterm.focus();
  }

  size(): { rows: number; cols: number } {
    return this.own;
  }

  reset(): void {
    this.xterm.reset();
  }

  resize(rows: number, cols: number): void {
    if (rows !== this.xterm.rows || cols !== this.xterm.cols) this.xterm.resize(cols, rows);
  }

  write(data: Uint8Array, done: () => void): void {
    this.xterm.write(data, done);
  }

  /** The size that fits the window; the terminal's own is the server's to say. */
  private measure(): void {
    const fitting = this.fit.proposeDimensions();
    if (fitting && fitting.rows > 0 && fitting.cols > 0) this.own = { rows: fitting.rows, cols: fitting.cols };
  }

  private useWebgl(): void {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.xterm.loadAddon(webgl);
    } catch {
      // Without a graphics processor xterm.js draws with elements.
    }
  }
}
