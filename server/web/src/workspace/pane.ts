// One session on the page: its terminal, where it lies, a head with its name where several are shown, and what has
// happened in it while nobody looked.

import { make } from '../elements.ts';
import { Emitter } from '../emitter.ts';
import { icon } from '../icons.ts';
import { TerminalView, type Opening } from '../terminal-view.ts';
import type { Place } from './layout.ts';

/** What a tab tells of a session behind it; what is further back here goes before what is further in front. */
export type Mark = '' | 'output' | 'lost' | 'ended' | 'bell';
export const RANK: readonly Mark[] = ['', 'output', 'lost', 'ended', 'bell'];

export interface PaneEvents {
  /** Its title, state or mark is another. */
  change: void;
  focus: void;
  renew: void;
  close: void;
}

let made = 0;

export class Pane extends Emitter<PaneEvents> {
  readonly id: string;
  readonly element: HTMLElement;
  readonly view: TerminalView;
  private readonly name = make('bdi');
  private readonly head: HTMLElement;
  private happened: Mark = '';
  private seen = true;

  /** Made where it is to lie, so that its terminal has the right size from the first byte. */
  constructor(parent: HTMLElement, opening: Opening, place: Place, among: boolean) {
    super();
    this.id = `pane-${made += 1}`;
    const close = make('button', { class: 'plain', type: 'button', 'aria-label': 'Close' }, icon('close'));
    close.onclick = () => this.emit('close', undefined);
    this.head = make('div', { class: 'pane-head' }, this.name, close);
    this.element = make('div', { class: 'pane', id: this.id, role: 'tabpanel' }, this.head);
    this.put(place, among);
    parent.append(this.element);
    this.view = new TerminalView(this.element, opening);
    this.listen();
  }

  get session(): string {
    return this.view.session;
  }

  get ended(): boolean {
    return this.view.state.kind === 'ended';
  }

  /** What its tab is to tell. */
  get mark(): Mark {
    const { kind } = this.view.state;
    if (this.happened === 'bell') return 'bell';
    return kind === 'ended' ? 'ended' : kind === 'waiting' ? 'lost' : this.happened;
  }

  /** Lay it there. `among`: with others beside it. */
  put({ left, top, width, height }: Place, among: boolean): void {
    const { style } = this.element;
    style.left = `${left * 100}%`;
    style.top = `${top * 100}%`;
    style.width = `${width * 100}%`;
    style.height = `${height * 100}%`;
    this.head.hidden = !among;
    this.element.dataset['edges'] = `${left > 0 ? 'left' : ''} ${top > 0 ? 'top' : ''}`;
  }

  set visible(visible: boolean) {
    if (visible !== !this.element.hidden || visible !== this.view.visible) {
      this.element.hidden = !visible;
      this.view.visible = visible;
    }
    if (visible) this.look();
    this.seen = visible;
  }

  /** Whether it is the one of several that has the keyboard. */
  set active(active: boolean) {
    this.element.classList.toggle('active', active);
  }

  set label(label: string) {
    if (this.name.textContent !== label) this.name.textContent = label;
    this.element.setAttribute('aria-label', label);
  }

  /** Somebody has seen what happened. */
  look(): void {
    if (this.happened === '') return;
    this.happened = '';
    this.emit('change', undefined);
  }

  dispose(): void {
    this.view.dispose();
    this.element.remove();
  }

  private listen(): void {
    const { view } = this;
    const change = (): void => this.emit('change', undefined);
    view.on('title', change);
    view.on('state', change);
    view.on('bell', () => this.note('bell'));
    view.on('output', () => this.note('output'));
    view.on('focus', () => this.emit('focus', undefined));
    view.on('renew', () => this.emit('renew', undefined));
  }

  private note(mark: Mark): void {
    if ((this.seen && !document.hidden) || RANK.indexOf(mark) <= RANK.indexOf(this.happened)) return;
    this.happened = mark;
    this.emit('change', undefined);
  }
}
