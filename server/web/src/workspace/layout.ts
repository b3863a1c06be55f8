// How the open sessions lie on the page: tabs, and in each a session, or several side by side and stacked, as deep as
// one likes. Pure: every change gives another layout. A session is in a layout once at most.

/** `row`: side by side, `column`: one below the other. */
export type Direction = 'row' | 'column';

export interface Leaf {
  readonly session: string;
}

export interface Split {
  readonly direction: Direction;
  /** At least two. The shares of all add up to 1. */
  readonly parts: readonly Part[];
}

export interface Part {
  readonly node: Node;
  readonly share: number;
}

export type Node = Leaf | Split;

export interface Tab {
  readonly root: Node;
  /** The session that has the keyboard when the tab is shown. */
  readonly active: string;
}

export interface Layout {
  readonly tabs: readonly Tab[];
  /** The tab that is shown; -1 where there is none. */
  readonly active: number;
}

/** No split is dragged smaller than this share of its whole. */
export const SMALLEST_SHARE = 0.1;
/** Sessions that may be open at once: each is a connection and a terminal. */
export const MOST_PANES = 32;

export const EMPTY: Layout = { tabs: [], active: -1 };

export function isLeaf(node: Node): node is Leaf {
  return 'session' in node;
}

/** The sessions of a node, from left to right and from top to bottom. */
export function sessionsOf(node: Node): string[] {
  return isLeaf(node) ? [node.session] : node.parts.flatMap((part) => sessionsOf(part.node));
}

export function allSessions(layout: Layout): string[] {
  return layout.tabs.flatMap((tab) => sessionsOf(tab.root));
}

/** Which tab a session is in; -1: none. */
export function tabOf(layout: Layout, session: string): number {
  return layout.tabs.findIndex((tab) => sessionsOf(tab.root).includes(session));
}

/** The session that has the keyboard. */
export function activeSession(layout: Layout): string | null {
  return layout.tabs[layout.active]?.active ?? null;
}

/** Show a session that is open, and give it the keyboard. */
export function focus(layout: Layout, session: string): Layout {
  const at = tabOf(layout, session);
  return at < 0 ? layout : { tabs: put(layout.tabs, at, { ...layout.tabs[at]!, active: session }), active: at };
}

/** Open a session in a tab of its own, right of the one that is shown. */
export function open(layout: Layout, session: string): Layout {
  if (tabOf(layout, session) >= 0) return focus(layout, session);
  const at = layout.active + 1;
  return { tabs: spliced(layout.tabs, at, 0, { root: { session }, active: session }), active: at };
}

/** Open a session in half of the place of the one that has the keyboard. */
export function split(layout: Layout, session: string, direction: Direction): Layout {
  const tab = layout.tabs[layout.active];
  if (tab === undefined) return open(layout, session);
  if (tabOf(layout, session) >= 0) return focus(layout, session);
  const root = divide(tab.root, tab.active, { session }, direction);
  return { ...layout, tabs: put(layout.tabs, layout.active, { root, active: session }) };
}

function divide(node: Node, beside: string, leaf: Leaf, direction: Direction): Node {
  if (isLeaf(node)) {
    if (node.session !== beside) return node;
    return { direction, parts: [{ node, share: 0.5 }, { node: leaf, share: 0.5 }] };
  }
  const at = node.parts.findIndex((part) => isLeaf(part.node) && part.node.session === beside);
  if (at >= 0 && node.direction === direction) {
    const half = { node: node.parts[at]!.node, share: node.parts[at]!.share / 2 };
    return { direction, parts: spliced(node.parts, at, 1, half, { node: leaf, share: half.share }) };
  }
  return { ...node, parts: node.parts.map((part) => ({ ...part, node: divide(part.node, beside, leaf, direction) })) };
}

/** Take a session off the page. What had its place beside it grows. */
export function close(layout: Layout, session: string): Layout {
  const at = tabOf(layout, session);
  const tab = layout.tabs[at];
  if (tab === undefined) return layout;
  const root = without(tab.root, session);
  if (root === null) {
    const tabs = spliced(layout.tabs, at, 1);
    return { tabs, active: Math.min(at < layout.active ? layout.active - 1 : layout.active, tabs.length - 1) };
  }
  const before = sessionsOf(tab.root);
  const next = before[before.indexOf(session) + 1] ?? before.at(-2)!;
  const active = tab.active === session ? next : tab.active;
  return { ...layout, tabs: put(layout.tabs, at, { root, active }) };
}

function without(node: Node, session: string): Node | null {
  if (isLeaf(node)) return node.session === session ? null : node;
  const parts = node.parts.flatMap((part) => {
    const left = without(part.node, session);
    return left === null ? [] : [{ node: left, share: part.share }];
  });
  if (parts.length === 0) return null;
  return parts.length === 1 ? parts[0]!.node : joined(node.direction, parts);
}

/** A split whose parts that are splits of the same direction are parts of its own, with shares that add up to 1. */
function joined(direction: Direction, parts: readonly Part[]): Split {
  const flat = parts.flatMap((part) =>
    isLeaf(part.node) || part.node.direction !== direction
      ? [part]
      : part.node.parts.map(({ node, share }) => ({ node, share: share * part.share })));
  const whole = flat.reduce((sum, { share }) => sum + share, 0);
  return { direction, parts: flat.map(({ node, share }) => ({ node, share: share / whole })) };
}

/** Another session in the place of one. */
export function replace(layout: Layout, session: string, by: string): Layout {
  const renamed = (node: Node): Node =>
    isLeaf(node)
      ? node.session === session ? { session: by } : node
      : { ...node, parts: node.parts.map((part) => ({ ...part, node: renamed(part.node) })) };
  const tabs = layout.tabs.map((tab) => ({ root: renamed(tab.root), active: tab.active === session ? by : tab.active }));
  return { ...layout, tabs };
}

/** Take a session out of its tab into one of its own. */
export function detach(layout: Layout, session: string): Layout {
  const at = tabOf(layout, session);
  if (at < 0 || isLeaf(layout.tabs[at]!.root)) return layout;
  return open({ ...close(layout, session), active: at }, session);
}

/** Put a tab in another place of the row. */
export function moveTab(layout: Layout, from: number, to: number): Layout {
  const tab = layout.tabs[from];
  const shown = layout.tabs[layout.active];
  if (tab === undefined || shown === undefined || to < 0 || to >= layout.tabs.length) return layout;
  const tabs = spliced(spliced(layout.tabs, from, 1), to, 0, tab);
  return { tabs, active: tabs.indexOf(shown) };
}

/** Show the tab that is so many places further; after the last comes the first. */
export function stepTab(layout: Layout, by: number): Layout {
  const count = layout.tabs.length;
  return count === 0 ? layout : { ...layout, active: (layout.active + by + count) % count };
}

/** Give the keyboard to the session that is so many places further in the tab. */
export function stepPane(layout: Layout, by: number): Layout {
  const tab = layout.tabs[layout.active];
  if (tab === undefined) return layout;
  const all = sessionsOf(tab.root);
  return focus(layout, all[(all.indexOf(tab.active) + by + all.length) % all.length]!);
}

/** Move the border behind part `index` of the split at `path` so that it lies at `position`, from 0 to 1. */
export function resize(layout: Layout, path: readonly number[], index: number, position: number): Layout {
  const tab = layout.tabs[layout.active];
  if (tab === undefined) return layout;
  const root = change(tab.root, path, (node) => moved(node, index, position));
  return { ...layout, tabs: put(layout.tabs, layout.active, { ...tab, root }) };
}

function change(node: Node, path: readonly number[], act: (split: Split) => Split): Node {
  if (isLeaf(node)) return node;
  const [first, ...rest] = path;
  if (first === undefined) return act(node);
  const part = node.parts[first];
  return part === undefined ? node : { ...node, parts: put(node.parts, first, { ...part, node: change(part.node, rest, act) }) };
}

function moved(node: Split, index: number, position: number): Split {
  const [one, other] = [node.parts[index], node.parts[index + 1]];
  if (one === undefined || other === undefined) return node;
  const start = node.parts.slice(0, index).reduce((sum, { share }) => sum + share, 0);
  const both = one.share + other.share;
  const least = Math.min(SMALLEST_SHARE, both / 2);
  const share = Math.max(least, Math.min(position - start, both - least));
  return { ...node, parts: spliced(node.parts, index, 2, { ...one, share }, { ...other, share: both - share }) };
}

// Where it all lies

/** Shares of the whole, from 0 to 1. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What is between two parts of a split. */
export interface Border {
  readonly path: readonly number[];
  readonly index: number;
  readonly direction: Direction;
  /** That of the whole split. */
  readonly within: Place;
  /** From 0 to 1 of that; and of the two parts that it lies between, where they begin and end. */
  readonly position: number;
  readonly before: number;
  readonly after: number;
}

export interface Places {
  readonly panes: ReadonlyMap<string, Place>;
  readonly borders: readonly Border[];
}

const WHOLE: Place = { left: 0, top: 0, width: 1, height: 1 };

/** Where the sessions of a tab lie. `narrow`: nothing fits side by side, so that all are stacked. */
export function places(root: Node, narrow = false): Places {
  const panes = new Map<string, Place>();
  const borders: Border[] = [];
  const put = (node: Node, within: Place, path: readonly number[]): void => {
    if (isLeaf(node)) {
      panes.set(node.session, within);
      return;
    }
    const direction = narrow ? 'column' : node.direction;
    let position = 0;
    node.parts.forEach(({ node: part, share }, index) => {
      const before = position - (node.parts[index - 1]?.share ?? 0);
      if (index > 0) borders.push({ path, index: index - 1, direction, within, position, before, after: position + share });
      put(part, strip(within, direction, position, share), [...path, index]);
      position += share;
    });
  };
  put(root, WHOLE, []);
  return { panes, borders };
}

function strip({ left, top, width, height }: Place, direction: Direction, from: number, share: number): Place {
  return direction === 'row'
    ? { left: left + width * from, top, width: width * share, height }
    : { left, top: top + height * from, width, height: height * share };
}

function put<T>(list: readonly T[], at: number, value: T): readonly T[] {
  return spliced(list, at, 1, value);
}

function spliced<T>(list: readonly T[], at: number, fewer: number, ...more: T[]): readonly T[] {
  return [...list.slice(0, at), ...more, ...list.slice(at + fewer)];
}
