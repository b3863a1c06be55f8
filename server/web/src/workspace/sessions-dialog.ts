// The list of the server's sessions: found by typing, walked by arrows, and kept as it is while news comes in.

import { openDialog } from '../dialogs.ts';
import { make } from '../elements.ts';
import { icon } from '../icons.ts';
import type { Session } from './api.ts';
import { Card, type Around, type CardActions } from './card.ts';
import type { Catalogue } from './catalogue.ts';
import { matches } from './describe.ts';

export interface ListActions extends CardActions {
  /** null: whoever looks may start none. */
  create: (() => void) | null;
}

const TICK = 1_000;

export class SessionsDialog {
  private readonly filter = make('input', {
    type: 'search', placeholder: 'Find a session', 'aria-label': 'Find a session', autocomplete: 'off', spellcheck: 'false',
  });
  private readonly problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  private readonly empty = make('p', { class: 'empty', role: 'status' });
  private readonly list = make('ul', { class: 'cards', role: 'list' });
  private readonly cards = new Map<string, Card>();
  private readonly dialog: HTMLDialogElement;

  /** `foot` stands below the list. */
  constructor(
    private readonly catalogue: Catalogue,
    private readonly around: Around,
    private readonly actions: ListActions,
    foot: HTMLElement | null = null,
  ) {
    const close = make('button', { class: 'plain', type: 'button', 'aria-label': 'Close' }, icon('close'));
    const create = make('button', { class: 'primary', type: 'button' }, 'New session');
    const tools = make('div', { class: 'tools' }, this.filter, ...(actions.create === null ? [] : [create]), close);
    const content = [tools, this.problem, make('div', { class: 'scroller' }, this.list, this.empty)];
    this.dialog = openDialog('Sessions', foot === null ? content : [...content, foot], [], 'sessions');
    close.onclick = () => this.close();
    create.onclick = () => actions.create?.();
    this.filter.oninput = () => this.show();
    this.filter.focus();
    this.dialog.addEventListener('keydown', (event) => this.key(event));
    this.live();
  }

  close(): void {
    this.dialog.close();
  }

  /** Calls `act` when it has been closed, however that came. */
  onclose(act: () => void): void {
    this.dialog.addEventListener('close', act);
  }

  private live(): void {
    const ends = [this.catalogue.on('change', () => this.show()), this.catalogue.watch()];
    const timer = setInterval(() => { for (const card of this.cards.values()) card.tick(); }, TICK);
    this.onclose(() => {
      clearInterval(timer);
      for (const end of ends) end();
    });
    this.show();
  }

  /** Put the list into the state that the catalogue has, touching nothing that is right already. */
  show(): void {
    const { sessions, problem } = this.catalogue;
    this.problem.hidden = problem === '';
    if (this.problem.textContent !== problem) this.problem.textContent = problem;
    // The newest first.
    const found = (sessions ?? []).filter((session) => matches(session, this.filter.value)).reverse();
    this.drop(new Set(found.map(({ id }) => id)));
    found.forEach((session, at) => {
      const card = this.card(session);
      if (this.list.children[at] !== card.element) this.list.insertBefore(card.element, this.list.children[at] ?? null);
    });
    this.tellEmptiness(sessions, found.length);
  }

  private card(session: Session): Card {
    let card = this.cards.get(session.id);
    if (card === undefined) {
      card = new Card(session, this.around, this.actions);
      this.cards.set(session.id, card);
    } else {
      card.update(session);
    }
    return card;
  }

  /** Take away what is not found any more; the keyboard goes on to what comes after it. */
  private drop(found: ReadonlySet<string>): void {
    for (const [id, card] of this.cards) {
      if (found.has(id)) continue;
      const { element } = card;
      const focused = element.contains(document.activeElement);
      const next = element.nextElementSibling ?? element.previousElementSibling;
      element.remove();
      this.cards.delete(id);
      if (focused) (next?.querySelector<HTMLElement>('.open') ?? this.filter).focus();
    }
  }

  private tellEmptiness(sessions: Session[] | null, count: number): void {
    const text = count > 0 ? ''
      : sessions === null ? (this.catalogue.problem === '' ? 'Asking the server …' : '')
        : sessions.length === 0 ? 'No session is running.'
          : `None of the ${sessions.length} sessions has that in its name, command or directory.`;
    if (this.empty.textContent !== text) this.empty.textContent = text;
  }

  private key(event: KeyboardEvent): void {
    const { key, target } = event;
    if (key === 'Enter' && target === this.filter) {
      event.preventDefault(); // or the form is sent
      this.list.querySelector<HTMLElement>('.open')?.click();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const step = this.step(key, target === this.filter);
    if (step === 0) return;
    event.preventDefault();
    const openers = [...this.list.querySelectorAll<HTMLElement>('.open')];
    const at = openers.findIndex((opener) => opener.closest('.card')?.contains(target as Node));
    const to = at + step;
    if (at < 0 ? step < 0 : to < 0) this.filter.focus();
    else (openers[Math.min(at < 0 ? 0 : to, openers.length - 1)] ?? this.filter).focus();
  }

  /** How many cards further an arrow leads: they stand in rows. */
  private step(key: string, typing: boolean): number {
    if (typing) return key === 'ArrowDown' ? 1 : 0;
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(' ').length;
    return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
  }
}
