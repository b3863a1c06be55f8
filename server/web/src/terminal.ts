// xterm.js, set up, as the screen that a client draws on. The terminal's size is the server's to say; where it differs
// from the one that fits the window, the terminal is framed, and drawn smaller if it would not fit.

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal as Xterm, type ITerminalOptions } from '@xterm/xterm';
import { answerMore } from './answers.ts';
import type { Screen } from './client.ts';
import { copied } from './osc52.ts';
import type { Size } from './protocol.ts';
import { theme } from './schemes.ts';
import { settings, SMALLEST_FONT, type Settings } from './settings.ts';
import { look } from './theme.ts';

const FONTS = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const SCROLLBACK = 5000;
/** CAN ends whatever sequence the output stopped in, RIS resets everything, scrollback included. */
const RESET = '\x18\x1bc';
const OSC_CLIPBOARD = 52;

const encoder = new TextEncoder();

/** Whose a key that goes down is: the shell's, the page's, or the browser's, which does with it what it always does. */
export type Owner = 'shell' | 'page' | 'browser';

/** What is told of links that the mouse is on. */
export interface LinkWatcher {
  hover(event: MouseEvent, url: string): void;
  leave(): void;
  activate(event: MouseEvent, url: string): void;
}

export class Terminal implements Screen {
  readonly xterm: Xterm;
  oninput: (data: Uint8Array) => void = () => {};
  /** The size that fits, or the one that is shown, has changed. */
  onresize: () => void = () => {};
  ontitle: (title: string) => void = () => {};
  onbell: () => void = () => {};
  /** The program has written something. */
  onoutput: () => void = () => {};
  /** The program wants to put a text into the clipboard. */
  oncopy: (text: string) => void = () => {};
  onkey: (event: KeyboardEvent) => Owner = () => 'shell';
  /** Changes what was typed before it is sent. */
  change: (typed: string) => string = (typed) => typed;
  links: LinkWatcher | null = null;

  private readonly fit = new FitAddon();
  private fitting: Size = { rows: 24, cols: 80 };
  private drawing = false;
  private wholly = true;
  private webgl: WebglAddon | null = null;
  private readonly watch: ResizeObserver;
  private readonly ends: (() => void)[] = [];

  constructor(private readonly stage: HTMLElement) {
    this.xterm = new Xterm({
      allowProposedApi: true, // for the widths of Unicode 11, and for search
      lineHeight: 1.2,
      macOptionIsMeta: true,
      macOptionClickForcesSelection: true,
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK,
      windowOptions: { getWinSizePixels: true, getCellSizePixels: true, getWinSizeChars: true },
      ...chosen(settings.now),
      linkHandler: {
        allowNonHttpProtocols: true, // what is safe is decided where links are opened
        activate: (event, url) => this.links?.activate(event, url),
        hover: (event, url) => this.links?.hover(event, url),
        leave: () => this.links?.leave(),
      },
    });
    this.ends.push(look.on('change', () => this.apply()), settings.on('change', () => this.apply()));
    this.load();
    this.xterm.open(stage);
    this.accelerated = true;
    this.listen();
    this.measure();
    this.xterm.resize(this.fitting.cols, this.fitting.rows);
    this.watch = new ResizeObserver(() => this.refit());
    this.watch.observe(stage);
  }

  focus(): void {
    this.xterm.focus();
  }

  dispose(): void {
    this.watch.disconnect();
    for (const end of this.ends) end();
    this.xterm.dispose();
  }

  size(): Size {
    return this.fitting;
  }

  /** Take the window's size as it is now. It is taken by itself, too, but only before the next picture. */
  refit(): void {
    if (this.stage.clientWidth === 0) return; // hidden
    this.measure();
    this.frame();
    this.onresize();
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

  /** Whether a terminal that is bigger than the window is drawn smaller, and not reached by scrolling. */
  get whole(): boolean {
    return this.wholly;
  }

  set whole(value: boolean) {
    this.wholly = value;
    this.refit();
  }

  /** The size that is shown, whether that is not the window's own, and whether the window is too small for it. */
  shown(): Size & { framed: boolean; bigger: boolean } {
    const { rows, cols } = this.xterm;
    const { fitting } = this;
    return {
      rows, cols,
      framed: rows !== fitting.rows || cols !== fitting.cols,
      bigger: rows > fitting.rows || cols > fitting.cols,
    };
  }

  write(data: Uint8Array, done: () => void): void {
    this.xterm.write(data, done);
    this.onoutput();
  }

  /** All lines, scrollback included, as text; `joined`: one that was wrapped is one. */
  text(joined = false): string {
    const buffer = this.xterm.buffer.active;
    let text = '';
    for (let y = 0; y < buffer.length; y += 1) {
      const line = buffer.getLine(y);
      const goesOn = joined && buffer.getLine(y + 1)?.isWrapped === true;
      text += `${line?.translateToString(!goesOn) ?? ''}${goesOn ? '' : '\n'}`;
    }
    return text.trimEnd();
  }

  private load(): void {
    const { xterm } = this;
    xterm.loadAddon(this.fit);
    xterm.loadAddon(new Unicode11Addon());
    xterm.unicode.activeVersion = '11';
    xterm.loadAddon(new WebLinksAddon((event, url) => this.links?.activate(event, url), {
      hover: (event, url) => this.links?.hover(event, url),
      leave: () => this.links?.leave(),
    }));
  }

  private listen(): void {
    const { xterm } = this;
    xterm.attachCustomKeyEventHandler((event) => {
      const owner = event.type === 'keydown' ? this.onkey(event) : 'shell';
      if (owner === 'page') event.preventDefault(); // or the browser does something of its own, too
      return owner === 'shell';
    });
    xterm.onData((data) => this.typed(encoder.encode(this.change(data))));
    // Mouse reports of the old kind, whose bytes are not UTF-8.
    xterm.onBinary((data) => this.typed(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    xterm.onBell(() => { if (!this.drawing) this.onbell(); });
    xterm.onTitleChange((title) => this.ontitle(title));
    answerMore(xterm);
    xterm.parser.registerOscHandler(OSC_CLIPBOARD, (data) => {
      const text = copied(data);
      if (text !== null && !this.drawing) this.oncopy(text);
      return true;
    });
  }

  /** A picture is no program that asks something, so whatever the terminal says while it draws one is not sent. */
  private typed(data: Uint8Array): void {
    if (!this.drawing) this.oninput(data);
  }

  private apply(): void {
    Object.assign(this.xterm.options, chosen(settings.now));
    this.refit();
  }

  private take(size: Size): void {
    if (size.rows !== this.xterm.rows || size.cols !== this.xterm.cols) this.xterm.resize(size.cols, size.rows);
    this.frame();
    this.onresize();
  }

  /** Find the size that fits the window with letters of the chosen size. */
  private measure(): void {
    this.stage.classList.remove('framed');
    this.xterm.options.fontSize = settings.now.fontSize;
    const proposed = this.fit.proposeDimensions();
    if (proposed !== undefined && proposed.rows > 0 && proposed.cols > 0) {
      this.fitting = { rows: proposed.rows, cols: proposed.cols };
    }
  }

  /** Show the terminal at the size it has: filling the window, or framed in it. */
  private frame(): void {
    const { framed, bigger } = this.shown();
    this.stage.classList.toggle('framed', framed);
    let font = settings.now.fontSize;
    this.xterm.options.fontSize = font;
    if (!bigger || !this.wholly) return;
    // Cells are whole pixels of the device, so the right size is found by trying. Below the smallest nobody reads; what
    // does not fit then is reached by scrolling.
    while (font > SMALLEST_FONT && !this.fits()) this.xterm.options.fontSize = font -= 0.5;
  }

  private fits(): boolean {
    const frame = this.xterm.element;
    return frame === undefined
      || (frame.offsetWidth <= this.stage.clientWidth && frame.offsetHeight <= this.stage.clientHeight);
  }
}

/** The settings that are xterm.js's own. */
function chosen({ font, fontSize, cursor, blink, screenReader }: Settings): ITerminalOptions {
  return {
    fontFamily: font === '' ? FONTS : `${JSON.stringify(font)}, ${FONTS}`,
    fontSize,
    cursorStyle: cursor,
    cursorBlink: blink,
    screenReaderMode: screenReader,
    theme: theme(look.now),
  };
}
