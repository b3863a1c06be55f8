// TerminalView: one session's terminal with everything around it (client, status line), in one element.
//
// A page may hold any number of them. The interface, for whoever lays out a page:
//
//   const view = new TerminalView(parent, { session: 'work' });
//                             makes its element at the end of `parent`. Make it where it is seen, so that its size is
//                             right from the first byte; the element may be moved afterwards.
//   view.connect()            connects, or connects again at once. Before the first call nothing goes to the server.
//   view.focus()              gives the keyboard to it.
//   view.visible = false      hides it (and frees what the graphics card held for it). It stays connected: its title,
//                             bell and end are still told. `true` shows it again, at the size of where it is then.
//   view.dispose()            takes the element and the connection away. The session goes on, for whoever comes next.
//   view.kill()               ends the session, for everybody.
//   view.tell(message)        says something in the status line, beside an offer of a new session.
//   view.element, .session, .title, .state, .readonly
//   view.on('state', …)       events, listed in ViewEvents. `on` returns what ends the listening.
//   view.onkey = (event) => … is asked first about each key that goes down in the terminal: true for the page's own
//                             shortcuts, which the shell then doesn't get.
//   view.entries = () => […]  more for the view's menu, asked for each time that it opens.
//   view.run('find')          what a person does with a terminal: the commands of shortcuts.ts.
//
// A view never touches the address bar, the page's title, or another view. It asks for a login by itself (one form for
// all views of the page), and wakes up by itself when the device does.

import { ring } from './bell.ts';
import { Client, type Socket, type State } from './client.ts';
import { confirm } from './dialogs.ts';
import { make } from './elements.ts';
import { Emitter } from './emitter.ts';
import { KeyBar } from './keybar.ts';
import { fetchLater } from './later.ts';
import { LinkCard } from './link-card.ts';
import { diagnose, unlock } from './login.ts';
import type { Entries } from './menu.ts';
import { Notice } from './notice.ts';
import { base, randomName } from './place.ts';
import type { Command } from './shortcuts.ts';
import { Status } from './status.ts';
import { Terminal, type Owner } from './terminal.ts';
import { here, Tools } from './tools.ts';
import { Touch } from './touch.ts';
import { onWake } from './wake.ts';

export interface Opening {
  session: string;
  /** What a session that is started runs, instead of the server's own command. */
  command?: string;
  readonly?: boolean;
  /** The id of the link that this page came by. It is the only way in: no login is asked for, no session offered. */
  link?: string | undefined;
  /** Never start the session: it was there before, and whoever comes back to it would rather be told. */
  attachOnly?: boolean | undefined;
}

export interface ViewEvents {
  /** The program gave the terminal a title; '' takes it away. */
  title: string;
  /** The connection's state, or the number of viewers, or the round trip has changed. */
  state: State;
  bell: void;
  /** The program has written something. */
  output: void;
  /** The keyboard went into this view. */
  focus: void;
  /** Somebody wants a new session in place of this one, which is over. */
  renew: void;
}

export class TerminalView extends Emitter<ViewEvents> {
  readonly element: HTMLElement;
  readonly session: string;
  readonly terminal: Terminal;
  readonly client: Client;
  title = '';
  onkey: (event: KeyboardEvent) => boolean = () => false;
  entries: () => Entries = () => [];

  private readonly status: Status;
  private readonly tools: Tools;
  private readonly keyBar: KeyBar;
  private readonly touch: Touch;
  private readonly gone = new AbortController();

  constructor(parent: HTMLElement, private readonly opening: Opening) {
    super();
    this.session = opening.session;
    const stage = make('div', { class: 'stage' });
    const screen = make('div', { class: 'screen' }, stage);
    const bars = make('div', { class: 'bars' });
    this.element = make('section', { class: 'view', 'aria-label': `Terminal ${opening.session}` }, screen, bars);
    parent.append(this.element);
    this.terminal = new Terminal(stage);
    this.client = this.makeClient();
    const notice = new Notice(screen, () => this.focus());
    this.terminal.links = new LinkCard(screen, notice, here === 'mac');
    this.touch = new Touch(stage, this.terminal);
    this.keyBar = new KeyBar(bars, this.terminal, () => this.tools.run('paste'));
    this.status = new Status(bars, this.client, this.terminal, {
      connect: () => this.connect(true),
      renew: opening.link === undefined ? () => this.emit('renew', undefined) : null,
    });
    this.tools = new Tools(screen, {
      terminal: this.terminal,
      notice,
      button: this.status.menu,
      readonly: () => this.readonly,
      entries: () => [...this.entries(), ...this.ending()],
    });
    this.listen();
  }

  get state(): State {
    return this.client.state;
  }

  /** Whether keys do nothing. */
  get readonly(): boolean {
    const { state } = this;
    return this.opening.readonly === true || state.kind === 'ended' || (state.kind === 'open' && state.readonly);
  }

  get visible(): boolean {
    return !this.element.hidden;
  }

  set visible(visible: boolean) {
    this.element.hidden = !visible;
    this.terminal.accelerated = visible;
  }

  connect(focus = false): void {
    this.terminal.refit(); // what was laid out since it was made has taken its place by now
    this.client.connect();
    if (focus) this.focus();
  }

  focus(): void {
    this.terminal.focus();
  }

  kill(): void {
    this.client.kill();
  }

  run(command: Command): void {
    this.tools.run(command);
  }

  tell(message: string): void {
    this.status.tell(message);
  }

  dispose(): void {
    this.gone.abort();
    this.client.onchange = () => {};
    this.client.suspend();
    this.status.dispose();
    this.keyBar.dispose();
    this.touch.dispose();
    this.terminal.dispose();
    this.element.remove();
  }

  private makeClient(): Client {
    const { session, command = '', readonly = false, link, attachOnly } = this.opening;
    return new Client(
      location.origin.replace(/^http/, 'ws') + base,
      // Named for this view alone: a tab's storage is copied when the tab is duplicated, and two of one name would
      // push each other out.
      { session, client: randomName(), readonly, command, link, attachOnly },
      this.terminal,
      {
        socket: (url, protocol) => new WebSocket(url, protocol) as Socket,
        diagnose,
        later: (milliseconds, act) => {
          const timer = setTimeout(act, milliseconds);
          return () => clearTimeout(timer);
        },
        now: () => performance.now(),
        random: () => Math.random(),
      },
    );
  }

  private listen(): void {
    const { client, terminal, status } = this;
    client.onchange = () => this.changed();
    terminal.oninput = (data) => client.input(data);
    terminal.onresize = () => {
      client.resized();
      status.update();
    };
    terminal.ontitle = (title) => {
      this.title = title;
      this.emit('title', title);
    };
    terminal.onoutput = () => this.emit('output', undefined);
    terminal.onbell = () => {
      if (this.visible) ring(this.element);
      this.emit('bell', undefined);
    };
    terminal.onkey = (event) => this.owner(event);
    this.element.addEventListener('focusin', () => this.emit('focus', undefined));
    onWake(this.gone.signal, { wake: () => client.wake(), sleep: () => client.suspend() });
  }

  private changed(): void {
    const { state } = this;
    this.terminal.readonly = this.readonly;
    this.status.update();
    if (state.kind === 'open') fetchLater();
    if (state.kind === 'locked' && this.opening.link === undefined) this.unlock();
    this.emit('state', state);
  }

  private unlock(): void {
    void unlock().then(() => this.state.kind === 'locked' && this.connect(this.visible));
  }

  private owner(event: KeyboardEvent): Owner {
    return this.onkey(event) || this.leaves(event) ? 'page' : this.tools.key(event);
  }

  /** The menu's entry that ends the session, where there is one to end. */
  private ending(): Entries {
    if (this.state.kind !== 'open' || this.readonly) return [];
    return [{ text: 'End the session …', act: () => void this.end() }];
  }

  private async end(): Promise<void> {
    const what = 'All that runs in it is ended, for everybody who looks at it.';
    if (await confirm('End this session?', [make('p', {}, what)], 'End it')) this.kill();
    this.focus();
  }

  /** Tab is the shell's, but where something is offered below the terminal the keyboard must get there. */
  private leaves(event: KeyboardEvent): boolean {
    return event.key === 'Tab' && (event.shiftKey || this.state.kind === 'ended') && this.status.focus();
  }
}
