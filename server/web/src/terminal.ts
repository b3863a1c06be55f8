// xterm.js, set up, as the screen that a client draws on. The terminal's size is the server's to say; where it differs
// from the one that fits the window, the terminal is framed, and drawn smaller if it would not fit.

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal as Xterm } from '@xterm/xterm';
import type { Screen } from './client.ts';
import type { Size } from './protocol.ts';
import { onThemeChange, theme } from './theme.ts';

const FONTS = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const FONT_SIZE = 14;
/** Below this nobody reads; what does not fit then is reached by scrolling. */
const SMALLEST_FONT = 6;
const SCROLLBACK = 5000;
/** CAN ends whatever sequence the output stopped in, RIS resets everything, scrollback included. */
const RESET = '\x18\x1bc';

const encoder = new TextEncoder();

export class Terminal implements Screen {
  readonly xterm: Xterm;
  oninput: (data: Uint8Array) => void = () => {};
  /** The size that fits, or the one that is shown, has changed. */
  onresize: () => void = () => {};
  ontitle: (title: string) => void = () => {};
  onbell: () => void = () => {};
  /** The program has written something. */
  onoutput: () => void = () => {};
  /** Whether this key, going down, is the page's and not the program's. */
  onkey: (event: KeyboardEvent) => boolean = () => false;

  private readonly fit = new FitAddon();
  private fitting: Size = { rows: 24, cols: 80 };
  private drawing = false;
  private webgl: WebglAddon | null = null;
  private readonly watch: ResizeObserver;
  private readonly endTheme: () => void;

  constructor(private readonly stage: HTMLElement) {
    this.xterm = new Xterm({
      allowProposedApi: true, // for the widths of Unicode 11
      fontFamily: FONTS,
      fontSize: FONT_SIZE,
      lineHeight: 1.2,
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK,
      theme: theme(),
    });
    this.endTheme = onThemeChange(() => { this.xterm.options.theme = theme(); });
    this.xterm.loadAddon(this.fit);
    this.xterm.loadAddon(new Unicode11Addon());
    this.xterm.unicode.activeVersion = '11';
    this.xterm.loadAddon(new WebLinksAddon());
    this.xterm.attachCustomKeyEventHandler((event) => {
      const taken = event.type === 'keydown' && this.onkey(event);
      if (taken) event.preventDefault(); // or the browser does something of its own, too
      return !taken;
    });
    this.xterm.open(stage);
    this.accelerated = true;
    this.xterm.onData((data) => this.typed(encoder.encode(data)));
    // Mouse reports of the old kind, whose bytes are not UTF-8.
    this.xterm.onBinary((data) => this.typed(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    this.xterm.onBell(() => this.onbell());
    this.xterm.onTitleChange((title) => this.ontitle(title));
    this.measure();
    this.xterm.resize(this.fitting.cols, this.fitting.rows);
    this.watch = new ResizeObserver(() => {
      if (stage.clientWidth === 0) return; // hidden
      this.measure();
      this.frame();
      this.onresize();
    });
    this.watch.observe(stage);
  }

  focus(): void {
    this.xterm.focus();
  }

  dispose(): void {
    this.watch.disconnect();
    this.endTheme();
    this.xterm.dispose();
  }

  size(): Size {
    return this.fitting;
  }

  resize(size: Size): void {
    // What was written before is to be drawn at the size it was written for.
    this.xterm.write('', () => this.take(size));
  }

  draw(size: Size, picture: Uint8Array): void {
    this.xterm.write(RESET, () => {
      this.take(size);
      this.drawing = true;
    });
    this.xterm.write(picture, () => { this.drawing = false; });
  }

  /** Whether the graphics card draws, of whose contexts a browser has few. */
  set accelerated(value: boolean) {
    if (value === (this.webgl !== null)) return;
    this.webgl?.dispose();
    this.webgl = null;
    if (!value) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => { this.accelerated = false; });
      this.xterm.loadAddon(webgl);
      this.webgl = webgl;
    } catch {
      // Without WebGL 2 xterm.js draws with elements, as it does after the context is lost.
    }
  }

  /** Whether keys do nothing. */
  set readonly(value: boolean) {
    this.xterm.options.disableStdin = value;
  }

  /** The size that is shown, and whether that is not the window's own. */
  shown(): Size & { framed: boolean } {
    const { rows, cols } = this.xterm;
    return { rows, cols, framed: rows !== this.fitting.rows || cols !== this.fitting.cols };
  }

  write(data: Uint8Array, done: () => void): void {
    this.xterm.write(data, done);
    this.onoutput();
  }

  /** All lines, scrollback included, as text. */
  text(): string {
    const buffer = this.xterm.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, y) => buffer.getLine(y)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }

  /** A picture is no program that asks something, so whatever the terminal says while it draws one is not sent. */
  private typed(data: Uint8Array): void {
    if (!this.drawing) this.oninput(data);
  }

  private take(size: Size): void {
    if (size.rows !== this.xterm.rows || size.cols !== this.xterm.cols) this.xterm.resize(size.cols, size.rows);
    this.frame();
    this.onresize();
  }

  /** Find the size that fits the window with letters of the usual size. */
  private measure(): void {
    this.stage.classList.remove('framed');
    this.xterm.options.fontSize = FONT_SIZE;
    const proposed = this.fit.proposeDimensions();
    if (proposed !== undefined && proposed.rows > 0 && proposed.cols > 0) {
      this.fitting = { rows: proposed.rows, cols: proposed.cols };
    }
  }

  /** Show the terminal at the size it has: filling the window, or framed in it. */
  private frame(): void {
    const { rows, cols, framed } = this.shown();
    this.stage.classList.toggle('framed', framed);
    let font = FONT_SIZE;
    this.xterm.options.fontSize = font;
    if (rows <= this.fitting.rows && cols <= this.fitting.cols) return;
    // Cells are whole pixels of the device, so the right size is found by trying.
    while (font > SMALLEST_FONT && !this.fits()) this.xterm.options.fontSize = font -= 0.5;
  }

  private fits(): boolean {
    const frame = this.xterm.element;
    return frame === undefined
      || (frame.offsetWidth <= this.stage.clientWidth && frame.offsetHeight <= this.stage.clientHeight);
  }

}
