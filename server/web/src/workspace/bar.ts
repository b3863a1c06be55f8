// The row of tabs above the terminals, with the buttons beside it. It shows what it is given and tells what is done to
// it, and knows no session.

import { make } from '../elements.ts';
import { Emitter } from '../emitter.ts';
import { icon, type Icon } from '../icons.ts';
import { plain } from './describe.ts';
import type { Mark } from './pane.ts';

/** A tab, as it is to be shown. */
export interface Face {
  label: string;
  /** More about it, for the mouse that rests on it. */
  hint: string;
  mark: Mark;
  /** The ids of the elements that it shows. */
  panes: string[];
}

export interface BarEvents {
  select: number;
  /** The keyboard is to go to what the tab shows. */
  enter: number;
  close: number;
  rename: number;
  menu: { tab: number; at: HTMLElement };
  move: { from: number; to: number };
  sessions: void;
  create: void;
  split: HTMLElement;
  share: void;
}

const MARKS: Record<Mark, string> = {
  '': '', output: 'has written something', bell: 'rang', ended: 'has ended', lost: 'has no connection',
};
/** Pixels that the mouse may move before a press is a drag. */
const SLACK = 6;

interface Shown {
  tab: HTMLButtonElement;
  label: HTMLElement;
  count: HTMLElement;
  mark: HTMLElement;
}

export class Bar extends Emitter<BarEvents> {
  private readonly list = make('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Open sessions' });
  private readonly create = action('plus', 'New session');
  private readonly split = action('beside', 'Split');
  private readonly share = action('share', 'Share');
  private readonly tabs: Shown[] = [];
  private active = -1;

  constructor(parent: HTMLElement) {
    super();
    const sessions = action('sessions', 'Sessions');
    const gap = make('span', { class: 'gap' });
    parent.append(make('header', { class: 'bar' }, sessions, this.list, this.create, gap, this.split, this.share));
    this.split.setAttribute('aria-haspopup', 'menu');
    sessions.onclick = () => this.emit('sessions', undefined);
    this.create.onclick = () => this.emit('create', undefined);
    this.split.onclick = () => this.emit('split', this.split);
    this.share.onclick = () => this.emit('share', undefined);
    gap.ondblclick = () => { if (!this.create.hidden) this.emit('create', undefined); };
    this.list.addEventListener('wheel', (event) => { this.list.scrollLeft += event.deltaY; }, { passive: true });
    this.list.addEventListener('keydown', (event) => this.key(event));
  }

  /** What whoever looks may do. */
  permit({ create, share }: { create: boolean; share: boolean }): void {
    this.create.hidden = this.split.hidden = !create;
    this.share.hidden = !share;
  }

  update(faces: readonly Face[], active: number): void {
    while (this.tabs.length > faces.length) this.tabs.pop()!.tab.remove();
    while (this.tabs.length < faces.length) this.append();
    faces.forEach((face, at) => show(this.tabs[at]!, face, at === active));
    if (active !== this.active) this.tabs[active]?.tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.active = active;
    this.share.disabled = this.split.disabled = faces.length === 0;
  }

  /** Give the keyboard to the tab that is shown. */
  focus(): void {
    (this.tabs[this.active]?.tab ?? this.create).focus();
  }

  private append(): void {
    const at = this.tabs.length;
    const label = make('bdi', { class: 'label' });
    const count = make('span', { class: 'count' });
    const mark = make('span', { class: 'mark' });
    // For the mouse only: the keyboard has Delete, and a button within a tab would be one that no reader finds.
    const close = make('span', { class: 'close', 'aria-hidden': 'true' }, icon('close'));
    const tab = make('button', { class: 'tab', role: 'tab', type: 'button' }, mark, label, ' ', count, close);
    tab.onclick = (event) => {
      if (close.contains(event.target as globalThis.Node)) this.emit('close', at);
      else this.emit(event.detail === 0 ? 'enter' : 'select', at);
    };
    tab.onauxclick = (event) => { if (event.button === 1) this.emit('close', at); };
    tab.ondblclick = () => this.emit('rename', at);
    tab.oncontextmenu = (event) => {
      event.preventDefault();
      this.emit('menu', { tab: at, at: tab });
    };
    tab.onpointerdown = (event) => {
      if (event.button === 1) event.preventDefault(); // or the page is scrolled
      if (event.button === 0 && event.pointerType === 'mouse') this.drag(tab, at, event);
    };
    this.tabs.push({ tab, label, count, mark });
    this.list.append(tab);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const { length } = this.tabs;
    const { active } = this;
    const to = { ArrowRight: active + 1, ArrowLeft: active - 1 + length, Home: 0, End: length - 1 }[event.key];
    if (to !== undefined && length > 0) {
      this.emit('select', to % length);
      this.focus();
    } else if (event.key === 'Delete') {
      this.emit('close', active);
      this.focus();
    } else if (event.key === 'F2') {
      this.emit('rename', active);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Let a tab be dragged to another place: it changes places with each that the mouse comes over the middle of. */
  private drag(tab: HTMLElement, from: number, press: PointerEvent): void {
    let at = from;
    let dragging = false;
    const done = new AbortController();
    const { signal } = done;
    tab.addEventListener('pointermove', (event) => {
      if (!dragging && Math.abs(event.clientX - press.clientX) < SLACK) return;
      if (!dragging) tab.setPointerCapture(press.pointerId);
      dragging = true;
      const to = this.under(event.clientX, at);
      if (to !== at) this.emit('move', { from: at, to });
      at = to;
    }, { signal });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      tab.addEventListener(end, () => done.abort(), { signal });
    }
  }

  private under(x: number, at: number): number {
    const middle = (index: number): number => {
      const { left, width } = this.tabs[index]!.tab.getBoundingClientRect();
      return left + width / 2;
    };
    if (at > 0 && x < middle(at - 1)) return at - 1;
    return at + 1 < this.tabs.length && x > middle(at + 1) ? at + 1 : at;
  }
}

function action(picture: Icon, label: string): HTMLButtonElement {
  const button = make('button', { class: 'plain', type: 'button', title: label, 'aria-label': label }, icon(picture));
  button.onmousedown = (event) => event.preventDefault(); // a click leaves the keyboard with the terminal
  return button;
}

function show({ tab, label, count, mark }: Shown, face: Face, active: boolean): void {
  const panes = face.panes.length;
  set(label, face.label);
  set(count, panes > 1 ? String(panes) : '');
  mark.dataset['mark'] = face.mark;
  tab.title = plain(face.hint);
  tab.tabIndex = active ? 0 : -1;
  const marked = MARKS[face.mark] === '' ? '' : `, ${MARKS[face.mark]}`;
  tab.setAttribute('aria-label', `${plain(face.label)}${panes > 1 ? ` ${panes} sessions` : ''}${marked}`);
  tab.setAttribute('aria-selected', String(active));
  tab.setAttribute('aria-controls', face.panes.join(' '));
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
