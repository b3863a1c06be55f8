// The page of somebody who has logged in: the open sessions in tabs and splits, and all that is done with them. The
// layout is the one thing that is kept; the address bar, the row of tabs and the panes follow it.

import { make } from '../elements.ts';
import { openMenu, type Entries } from '../menu.ts';
import { forgetCommand, newSession } from '../place.ts';
import { command, platform } from '../shortcuts.ts';
import { expose } from '../test-hook.ts';
import { read, written } from './address.ts';
import type { Api, Session, Visitor } from './api.ts';
import { Bar, type Face } from './bar.ts';
import { Borders } from './borders.ts';
import type { Around } from './card.ts';
import { Catalogue } from './catalogue.ts';
import { nameOf, plain } from './describe.ts';
import { endSession, renameSession, startSession, tell } from './forms.ts';
import { deed, keysOf, type Deed } from './keys.ts';
import {
  EMPTY, MOST_PANES, activeSession, allSessions, close, detach, focus, moveTab, open, places, replace, resize,
  sessionsOf, split, stepPane, stepTab, tabOf, type Direction, type Layout, type Tab,
} from './layout.ts';
import { Pane, RANK } from './pane.ts';
import { SessionsDialog } from './sessions-dialog.ts';
import { toast } from './toast.ts';
import { tunnelLines } from './tunnels.ts';

export interface Start {
  /** The session of the address, which is started if it is not there. */
  session: string;
  command: string;
  readonly: boolean;
  test: boolean;
}

/** What is written down when a tab was closed for the first time in this browser. */
const TOLD = 'reconnectingpty.told-of-closing';
const NARROW = matchMedia('(max-width: 40rem)');
const EVERYTHING: Visitor['may'] = { create: true, command: false, containers: false, share: true, kill: true };
const here = platform(navigator.platform);

export class Workspace {
  private layout: Layout = EMPTY;
  private connected = false;
  private visitor: Visitor | null = null;
  private readonly panes = new Map<string, Pane>();
  /** Sessions that may be started by connecting to them. All others were there before, or are gone. */
  private readonly fresh = new Set<string>();
  private readonly bar: Bar;
  private readonly borders: Borders;
  private readonly catalogue: Catalogue;
  private readonly nothing: HTMLElement;
  private dialog: SessionsDialog | null = null;

  constructor(private readonly views: HTMLElement, private readonly api: Api, private readonly start: Start) {
    const top = make('div', { class: 'top' });
    views.before(top);
    this.bar = new Bar(top);
    this.borders = new Borders(views, (border, position) => this.show(resize(this.layout, border.path, border.index, position), false));
    this.catalogue = new Catalogue(api);
    this.nothing = this.makeNothing();
    this.listen();
    const layout = read(location.search);
    if (layout === null) this.fresh.add(start.session);
    this.show(layout ?? open(EMPTY, start.session));
  }

  /** The session that has the keyboard, if any is open. */
  get active(): Pane | null {
    return this.panes.get(activeSession(this.layout) ?? '') ?? null;
  }

  /** Connect all that is open, what is seen first. */
  connect(): void {
    this.connected = true;
    for (const pane of this.panes.values()) pane.view.connect();
    this.active?.view.focus();
    this.fill();
    if (this.panes.size === 0) void this.learn();
  }

  /** Do not start what the address asks for, and say so. */
  refuse(message: string): void {
    this.connected = true;
    forgetCommand();
    this.active?.view.tell(message);
  }

  /** Try at once what is being waited for. */
  wake(): void {
    for (const pane of this.panes.values()) pane.view.client.wake();
  }

  // The layout, and what follows it

  private show(layout: Layout, keyboard = true): void {
    this.layout = layout;
    const tab = layout.tabs[layout.active];
    const all = new Set(allSessions(layout));
    for (const [session, pane] of this.panes) if (!all.has(session)) this.drop(pane);
    const seen = new Set(tab === undefined ? [] : sessionsOf(tab.root));
    for (const [session, pane] of this.panes) if (!seen.has(session)) pane.visible = false;
    if (tab !== undefined) this.lay(tab, true);
    this.borders.show(tab === undefined ? [] : places(tab.root, NARROW.matches).borders);
    this.nothing.hidden = tab !== undefined;
    history.replaceState(null, '', location.pathname + written(location.search, layout) + location.hash);
    this.update();
    if (keyboard) this.give();
  }

  /** Give the keyboard to the active session. */
  private give(): void {
    const { active } = this;
    if (active === null) this.nothing.querySelector('button')?.focus();
    else active.view.focus();
    if (active !== null && this.start.test) expose(active.view);
  }

  /** Put the panes of a tab where they lie, and make those that are missing. */
  private lay(tab: Tab, visible: boolean): void {
    const { panes } = places(tab.root, NARROW.matches);
    for (const [session, place] of panes) {
      const among = panes.size > 1;
      const pane = this.panes.get(session) ?? this.make(session, place, among);
      pane.put(place, among);
      pane.visible = visible;
      pane.active = among && session === tab.active;
    }
  }

  private make(session: string, place: Parameters<Pane['put']>[0], among: boolean): Pane {
    const { command, readonly } = this.start;
    const pane = new Pane(this.views, {
      session, readonly,
      command: session === this.start.session ? command : '',
      attachOnly: !this.fresh.has(session),
    }, place, among);
    this.panes.set(session, pane);
    const { view } = pane;
    pane.on('change', () => this.changed(pane));
    pane.on('focus', () => this.focused(session));
    pane.on('close', () => this.close([session]));
    pane.on('renew', () => void this.renew(session));
    view.onkey = (event) => this.key(event);
    view.entries = () => this.entries();
    if (this.connected) view.connect();
    return pane;
  }

  private drop(pane: Pane): void {
    this.panes.delete(pane.session);
    this.fresh.delete(pane.session);
    pane.dispose();
  }

  /** Make the panes of the tabs behind, one tab at a time, so that what happens there is told. */
  private fill(): void {
    const next = this.layout.tabs.find((tab) => sessionsOf(tab.root).some((session) => !this.panes.has(session)));
    if (next === undefined) return;
    const idle = window.requestIdleCallback ?? ((act: () => void) => setTimeout(act, 100));
    idle(() => {
      const behind = this.layout.tabs.indexOf(next);
      if (behind >= 0 && behind !== this.layout.active) this.lay(next, false);
      this.update();
      this.fill();
    });
  }

  // What is shown of it

  private update(): void {
    const { layout } = this;
    for (const [session, pane] of this.panes) pane.label = this.label(session);
    this.bar.permit({ create: this.may.create, share: this.may.share });
    this.bar.update(layout.tabs.map((tab) => this.face(tab)), layout.active);
    const active = activeSession(layout);
    const rung = [...this.panes.values()].some((pane) => pane.mark === 'bell');
    document.title = `${rung ? '● ' : ''}${active === null ? 'reconnectingpty' : plain(this.label(active))}`;
  }

  private face(tab: Tab): Face {
    const panes = sessionsOf(tab.root).map((session) => this.panes.get(session)).filter((pane) => pane !== undefined);
    const mark = panes.map((pane) => pane.mark).reduce((one, other) => (RANK.indexOf(other) > RANK.indexOf(one) ? other : one), '');
    const hint = sessionsOf(tab.root).map((session) => this.label(session)).join(' · ');
    return { label: this.label(tab.active), hint, mark, panes: panes.map(({ id }) => id) };
  }

  private label(session: string): string {
    const known = this.catalogue.get(session) ?? { name: '', title: '', command: '' };
    const title = this.panes.get(session)?.view.title ?? known.title;
    return nameOf({ ...known, id: session, title }) || 'New session';
  }

  private get may(): Visitor['may'] {
    return this.visitor?.may ?? EVERYTHING;
  }

  private changed(pane: Pane): void {
    const { kind } = pane.view.state;
    if (kind === 'open' && pane.session === this.start.session) forgetCommand();
    if (kind === 'open' && (this.visitor === null || this.catalogue.get(pane.session) === undefined)) void this.learn();
    this.update();
  }

  private learning: Promise<void> | null = null;

  /** Ask who looks, and what the sessions are called. */
  private learn(): Promise<void> {
    this.learning ??= (async () => {
      await this.catalogue.refresh();
      this.visitor ??= await this.api.whoami().catch(() => null);
      this.update();
    })().finally(() => setTimeout(() => { this.learning = null; }, 1000));
    return this.learning;
  }

  // What is done to it

  private listen(): void {
    const { bar } = this;
    const tabAt = (at: number): string | undefined => this.layout.tabs[at]?.active;
    const show = (at: number): void => this.show({ ...this.layout, active: at }, false);
    bar.on('select', (at) => show(at));
    bar.on('enter', (at) => {
      show(at);
      this.give();
    });
    bar.on('close', (at) => this.closeTab(at));
    bar.on('move', ({ from, to }) => this.show(moveTab(this.layout, from, to), false));
    bar.on('rename', (at) => void this.rename(tabAt(at)));
    bar.on('menu', ({ tab, at }) => this.menu(tab, at));
    bar.on('sessions', () => this.list());
    bar.on('create', () => void this.create());
    bar.on('share', () => void this.share());
    bar.on('split', (button) => openMenu(button, 'Split', [
      this.entry('Side by side', 'beside'), this.entry('One below the other', 'below'),
    ], () => {}));
    this.catalogue.on('change', () => this.update());
    NARROW.addEventListener('change', () => this.show(this.layout, false));
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.seen(); });
    addEventListener('keydown', (event) => {
      const busy = event.defaultPrevented || document.querySelector('dialog[open]') !== null;
      if (!busy && (this.key(event) || this.command(event))) event.preventDefault();
    });
  }

  private seen(): void {
    for (const pane of this.panes.values()) if (!pane.element.hidden) pane.look();
  }

  private focused(session: string): void {
    if (activeSession(this.layout) !== session) this.show(focus(this.layout, session), false);
    const pane = this.panes.get(session);
    if (pane !== undefined && this.start.test) expose(pane.view);
  }

  private key(event: KeyboardEvent): boolean {
    const wanted = deed(event, here);
    if (wanted === null) return false;
    this.run(wanted);
    return true;
  }

  /** What a terminal's keys do, where the keyboard is with the tabs. */
  private command(event: KeyboardEvent): boolean {
    const meant = this.active === null ? null : command(event, here, false);
    if (meant === null || meant === 'paste') return false;
    this.active?.view.run(meant);
    return true;
  }

  private run(wanted: Deed): void {
    const { layout } = this;
    switch (wanted) {
      case 'sessions':
        return this.list();
      case 'new':
        return void this.create();
      case 'beside':
        return void this.create('row');
      case 'below':
        return void this.create('column');
      case 'close':
        return this.close([activeSession(layout) ?? '']);
      case 'next tab':
        return this.show(stepTab(layout, 1));
      case 'previous tab':
        return this.show(stepTab(layout, -1));
      case 'next pane':
        return this.show(stepPane(layout, 1));
      case 'previous pane':
        return this.show(stepPane(layout, -1));
    }
  }

  private entry(text: string, wanted: Deed, disabled = false): Entries[number] {
    return { text, keys: keysOf(wanted, here), disabled, act: () => this.run(wanted) };
  }

  /** What a terminal's own menu has of the workspace. */
  entries(): Entries {
    const { may } = this;
    const creating: Entries = [
      this.entry('New session', 'new'), this.entry('Split side by side', 'beside'), this.entry('Split below', 'below'),
    ];
    return [
      this.entry('Sessions …', 'sessions'),
      ...(may.create ? creating : []),
      ...(may.share ? [{ text: 'Share …', act: () => void this.share() }] : []),
      { text: 'Rename …', act: () => void this.rename() },
      this.entry('Close', 'close'),
      null,
    ];
  }

  private menu(at: number, tab: HTMLElement): void {
    const session = this.layout.tabs[at]?.active;
    if (session === undefined) return;
    const { length } = this.layout.tabs;
    const several = sessionsOf(this.layout.tabs[at]!.root).length > 1;
    const { may } = this;
    const move = (text: string, to: number): Entries[number] => ({
      text, disabled: to < 0 || to >= length,
      act: () => {
        this.show(moveTab(this.layout, at, to), false);
        this.bar.focus();
      },
    });
    openMenu(tab, 'Tab', [
      { text: 'Rename …', act: () => void this.rename(session) },
      ...(may.create ? [{ text: 'Duplicate', act: () => void this.duplicate(session) }] : []),
      ...(may.share ? [{ text: 'Share …', act: () => void this.share(session) }] : []),
      null,
      move('Move left', at - 1),
      move('Move right', at + 1),
      ...(several ? [{ text: 'To a tab of its own', act: () => this.show(detach(this.layout, session)) }] : []),
      null,
      { text: 'Close', act: () => this.closeTab(at) },
      ...(may.kill ? [{ text: 'End the session …', act: () => void this.end(session) }] : []),
    ], () => tab.focus());
  }

  // Opening and closing

  private list(): void {
    if (this.dialog !== null) return;
    const around: Around = {
      me: this.visitor?.name ?? '',
      may: this.may,
      opened: (session) => tabOf(this.layout, session) >= 0,
      idle: (session) => this.catalogue.idle(session),
    };
    const leave = (): void => this.dialog?.close();
    const dialog = new SessionsDialog(this.catalogue, around, {
      open: (session) => {
        leave();
        this.open(session.id);
      },
      beside: (session) => {
        leave();
        this.open(session.id, 'row');
      },
      rename: (session) => void renameSession(this.api, session).then(() => this.catalogue.refresh()),
      duplicate: (session) => {
        leave();
        void this.duplicate(session.id);
      },
      share: (session) => void this.share(session.id),
      kill: (session) => void endSession(this.api, session).then(() => this.catalogue.refresh()),
      create: this.may.create ? () => void this.createAsked() : null,
    }, this.visitor?.role === 'admin' ? tunnelLines(this.api) : null);
    this.dialog = dialog;
    dialog.onclose(() => { this.dialog = null; });
  }

  private open(session: string, direction: Direction | null = null): void {
    if (tabOf(this.layout, session) < 0 && this.full()) return;
    this.show(direction === null ? open(this.layout, session) : split(this.layout, session, direction));
  }

  private full(): boolean {
    if (allSessions(this.layout).length < MOST_PANES) return false;
    toast(`No more than ${MOST_PANES} sessions can be open at once. Close one first.`);
    return true;
  }

  /** A new session, of the server's own command, in a tab or beside what has the keyboard. */
  private async create(direction: Direction | null = null): Promise<void> {
    if (!this.may.create || this.full()) return;
    const session = await newSession();
    this.fresh.add(session);
    this.open(session, direction);
  }

  private async createAsked(): Promise<void> {
    const session = await startSession(this.api, this.may);
    if (session === null) return;
    this.dialog?.close();
    this.open(session.id);
  }

  private async duplicate(session: string): Promise<void> {
    try {
      this.open((await this.api.start({ like: session })).id);
    } catch (error) {
      await tell('It could not be duplicated', error);
    }
  }

  private async renew(session: string): Promise<void> {
    const by = await newSession();
    this.fresh.add(by);
    this.show(replace(this.layout, session, by));
  }

  private async rename(session = activeSession(this.layout) ?? ''): Promise<void> {
    const known = await this.find(session);
    if (known === null) return;
    if (await renameSession(this.api, known) !== null) await this.catalogue.refresh();
    this.give();
  }

  private async end(session: string): Promise<void> {
    const known = await this.find(session);
    if (known !== null && await endSession(this.api, known)) this.show(close(this.layout, session));
  }

  private async share(session = activeSession(this.layout) ?? ''): Promise<void> {
    const known = await this.find(session);
    if (known === null) return;
    const { openShare } = await import('../share/share-dialog.ts');
    openShare(this.api, known);
  }

  /** What the server knows of a session; where that is nothing the person is told. */
  private async find(session: string): Promise<Session | null> {
    if (this.catalogue.get(session) === undefined) await this.catalogue.refresh();
    const known = this.catalogue.get(session);
    if (known !== undefined) return known;
    toast(this.catalogue.problem || 'The session has ended.');
    return null;
  }

  private closeTab(at: number): void {
    const tab = this.layout.tabs[at];
    if (tab !== undefined) this.close(sessionsOf(tab.root));
  }

  private close(sessions: string[]): void {
    const before = this.layout;
    const running = sessions.some((session) => this.panes.get(session)?.ended === false);
    const keyboard = this.views.contains(document.activeElement) || document.activeElement === document.body;
    this.show(sessions.reduce(close, before), keyboard);
    if (!running || told()) return;
    toast(
      sessions.length > 1 ? 'The sessions go on running. They are in the list of sessions.'
        : 'The session goes on running. It is in the list of sessions.',
      { text: 'Open it again', act: () => this.show(before) },
    );
  }

  private makeNothing(): HTMLElement {
    const create = make('button', { class: 'primary', type: 'button' }, 'New session');
    const list = make('button', { type: 'button' }, 'Sessions');
    create.onclick = () => void this.create();
    list.onclick = () => this.list();
    const made = make('div', { class: 'nothing', hidden: true }, make('p', {}, 'No session is open.'),
      make('div', { class: 'buttons' }, list, create));
    this.views.append(made);
    return made;
  }
}

/** Whether this browser has been told what closing a tab means; now it has. */
function told(): boolean {
  try {
    if (localStorage.getItem(TOLD) !== null) return true;
    localStorage.setItem(TOLD, '1');
  } catch {
    // Without storage it is told each time.
  }
  return false;
}
