// The quiet line below the terminal: how the connection is, and the one thing that can be done about it.

import type { Client, State } from './client.ts';
import { make } from './elements.ts';
import { icon } from './icons.ts';
import type { Terminal } from './terminal.ts';
import { roundTrip, words, type Words } from './words.ts';

export interface Actions {
  connect(): void;
  /** null: whoever looks at this may start no session. */
  renew: (() => void) | null;
}

/** A reconnect that takes no longer than this is nobody's business. */
const UNNOTICED = 400;

export class Status {
  private readonly message = make('span', { class: 'message', role: 'status', 'aria-live': 'polite' }, 'Connecting …');
  private readonly countdown = make('span', { class: 'countdown' });
  private readonly details = make('span', { class: 'details' });
  private readonly button = make('button', { class: 'action', type: 'button', hidden: true });
  private readonly frame = make('button', { class: 'plain', type: 'button', hidden: true });
  /** The button of the terminal's menu. */
  readonly menu = make(
    'button', { class: 'plain', type: 'button', 'aria-label': 'Menu', 'aria-haspopup': 'menu', 'aria-expanded': 'false' },
    icon('menu'),
  );
  private readonly line = make(
    'div', { class: 'status', 'data-state': 'connecting' },
    make('span', { class: 'dot' }), this.message, this.countdown, this.button, this.details, this.frame, this.menu,
  );
  private delay: number | null = null;
  private ticking = 0;

  constructor(
    parent: HTMLElement,
    private readonly client: Client,
    private readonly terminal: Terminal,
    private readonly actions: Actions,
  ) {
    this.frame.onclick = () => { terminal.whole = !terminal.whole; };
    parent.append(this.line);
  }

  /** The client has changed. */
  update(): void {
    const { kind } = this.client.state;
    const brief = kind === 'connecting' || kind === 'waiting';
    if (brief && this.line.dataset['state'] === 'open') {
      this.delay ??= window.setTimeout(() => this.show(), UNNOTICED);
    } else {
      this.show();
    }
  }

  /** Say something that is not the client's state. */
  tell(message: string): void {
    this.line.dataset['state'] = 'ended';
    this.say(message);
    this.offer('New session');
  }

  /** Move the keyboard to the button, if there is one. */
  focus(): boolean {
    if (this.button.hidden) return false;
    this.button.focus();
    return true;
  }

  dispose(): void {
    this.stop();
    this.line.remove();
  }

  private stop(): void {
    if (this.delay !== null) clearTimeout(this.delay);
    this.delay = null;
    clearInterval(this.ticking);
  }

  private show(): void {
    this.stop();
    const { state } = this.client;
    const { message, button } = words(state, this.client.epoch !== null);
    this.line.dataset['state'] = state.kind;
    this.say(message);
    this.offer(button);
    this.details.textContent = this.describe(state);
    this.frame.hidden = !this.terminal.shown().bigger;
    this.frame.textContent = this.terminal.whole ? 'Full size' : 'Fit';
    this.count(state);
  }

  /** A live region is read out whenever it is written to, so it is written to only when it changes. */
  private say(message: string): void {
    if (this.message.textContent !== message) this.message.textContent = message;
  }

  private offer(text: Words['button']): void {
    const { connect, renew } = this.actions;
    this.button.hidden = text === '' || (text === 'New session' && renew === null);
    this.button.textContent = text;
    this.button.onclick = text === 'New session' ? renew : connect;
  }

  private describe(state: State): string {
    if (state.kind !== 'open') return '';
    const { rows, cols, framed } = this.terminal.shown();
    return [
      framed ? `${cols} × ${rows}` : '',
      this.client.viewers > 1 ? `${this.client.viewers} viewers` : '',
      this.client.roundTrip === null ? '' : roundTrip(this.client.roundTrip),
    ].filter(Boolean).join(' · ');
  }

  private count(state: State): void {
    this.countdown.textContent = '';
    if (state.kind !== 'waiting' || state.until === Infinity) return;
    const tick = (): void => {
      const seconds = Math.ceil((state.until - performance.now()) / 1000);
      this.countdown.textContent = seconds > 0 ? `Next try in ${seconds} s` : '';
    };
    tick();
    this.ticking = window.setInterval(tick, 250);
  }
}
