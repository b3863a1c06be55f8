// A layout as it is written in the address bar, so that a reload has it again: tabs with commas between, sessions side
// by side with `|` and stacked with `/` between, brackets around a split in a split, `~` before a share in percent.
// Pure. What is read may be from anybody, so it is bounded and checked.

import {
  EMPTY, MOST_PANES, focus, isLeaf, sessionsOf, type Direction, type Layout, type Node, type Part, type Tab,
} from './layout.ts';

const SESSION = /[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}/y;
const SHARE = /~(\d{1,2})/y;
const SIGN: Record<Direction, string> = { row: '|', column: '/' };
const DEEPEST = 8;
const LONGEST = 4096;

/** A layout as text. Which session has the keyboard is not in it. */
export function format(layout: Layout): string {
  return layout.tabs.map((tab) => written(tab.root, true)).join(',');
}

function written(node: Node, outermost: boolean): string {
  if (isLeaf(node)) return node.session;
  const equal = node.parts.every(({ share }) => Math.abs(share - 1 / node.parts.length) < 0.005);
  const text = node.parts
    .map((part) => written(part.node, false) + (equal ? '' : `~${Math.min(99, Math.max(1, Math.round(part.share * 100)))}`))
    .join(SIGN[node.direction]);
  return outermost ? text : `(${text})`;
}

/** The layout of a text, with the keyboard in `active` if that is in it; null where it is none. */
export function parse(text: string, active = ''): Layout | null {
  if (text === '') return EMPTY;
  if (text.length > LONGEST) return null;
  try {
    return focus(new Reader(text).layout(), active);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

class Reader {
  private at = 0;
  private readonly seen = new Set<string>();

  constructor(private readonly text: string) {}

  layout(): Layout {
    const tabs: Tab[] = [];
    do {
      const root = this.node(0);
      tabs.push({ root, active: sessionsOf(root)[0]! });
    } while (this.takes(','));
    if (this.at < this.text.length) throw new SyntaxError('more than a layout');
    return { tabs, active: 0 };
  }

  private node(depth: number): Node {
    if (depth > DEEPEST) throw new SyntaxError('too deep');
    const parts: Part[] = [this.part(depth)];
    const direction: Direction = this.text[this.at] === SIGN.column ? 'column' : 'row';
    while (this.takes(SIGN[direction])) parts.push(this.part(depth));
    if (parts.length === 1) return parts[0]!.node;
    // A share that is missing is as large as the others are on average.
    const given = parts.filter(({ share }) => share > 0);
    const usual = given.length > 0 ? given.reduce((sum, { share }) => sum + share, 0) / given.length : 1;
    const shares = parts.map(({ share }) => share || usual);
    const whole = shares.reduce((sum, share) => sum + share, 0);
    return { direction, parts: parts.map(({ node }, index) => ({ node, share: shares[index]! / whole })) };
  }

  private part(depth: number): Part {
    let node: Node;
    if (this.takes('(')) {
      node = this.node(depth + 1);
      if (!this.takes(')')) throw new SyntaxError('a bracket is missing');
    } else {
      node = { session: this.session() };
    }
    return { node, share: Number(this.match(SHARE)?.[1] ?? 0) };
  }

  private session(): string {
    const session = this.match(SESSION)?.[0];
    if (session === undefined || this.seen.has(session) || this.seen.size >= MOST_PANES) {
      throw new SyntaxError('no session, or one twice, or too many');
    }
    this.seen.add(session);
    return session;
  }

  private takes(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }
}
