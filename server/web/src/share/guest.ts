// The page of somebody who came by a link: one session, and nothing else of the server. What the link allows, and until
// when, is said above it; how it ended, too.

import { make } from '../elements.ts';
import { plain, nameOf, remaining } from '../workspace/describe.ts';
import { Api, ApiError, type Visitor } from '../workspace/api.ts';
import { TerminalView } from '../terminal-view.ts';
import { expose } from '../test-hook.ts';

const TICK = 5_000;
/** A policy violation: the link counts no more. */
const NOT_ALLOWED = 1008;

/** Whether the address has the text of a link. */
export function hasShare(): boolean {
  return new URLSearchParams(location.hash.slice(1)).has('share');
}

/** A link's signed text in the fragment, which is gone from the address bar and the history afterwards. */
export function takeShare(): string | null {
  const share = new URLSearchParams(location.hash.slice(1)).get('share');
  if (share !== null) history.replaceState(null, '', location.pathname + location.search);
  return share;
}

/** The id of the link that this page came by, or came by before a reload. */
export function linkHere(): string | null {
  return new URLSearchParams(location.search).get('link');
}

/** Exchange a link's text for a cookie; the link's id. Throws ApiError. */
export async function enterByLink(api: Api, share: string): Promise<string> {
  const { link } = await api.enter(share);
  const query = new URLSearchParams(location.search);
  // Whatever else the page was, from here on it is the link's.
  for (const name of ['session', 'tabs', 'command']) query.delete(name);
  query.set('link', link);
  history.replaceState(null, '', `${location.pathname}?${query}`);
  return link;
}

/** Show the session of a link in `views`. Throws ApiError where the link counts no more. */
export async function showGuest(views: HTMLElement, api: Api, link: string): Promise<void> {
  const visitor = await api.whoami();
  const session = visitor.session ?? '';
  const line = new GuestLine(visitor);
  views.before(line.element);
  const view = new TerminalView(views, { session, link, attachOnly: true, readonly: visitor.access === 'read' });
  const named = async (): Promise<void> => {
    const [known] = await api.sessions();
    line.name = known === undefined ? '' : nameOf({ ...known, title: view.title || known.title });
    document.title = plain(line.name) || 'reconnectingpty';
  };
  view.on('title', () => void named().catch(() => {}));
  view.on('state', (state) => {
    if (state.kind === 'open') void named().catch(() => {});
    const refused = state.kind === 'ended' && state.end.cause === 'closed' && state.end.code === NOT_ALLOWED;
    if (refused) line.end(view, state.end.cause === 'closed' ? state.end.reason : '');
    if (state.kind === 'locked') line.end(view, 'this link has expired or was revoked');
  });
  if (new URLSearchParams(location.search).get('test') === '1') expose(view);
  view.connect(true);
}

/** Say that a link leads nowhere. */
export function tellNowhere(views: HTMLElement, error: unknown): void {
  const { status, message } = error instanceof ApiError ? error : { status: 0, message: String(error) };
  const again = make('button', { class: 'primary', type: 'button' }, 'Try again');
  again.onclick = () => location.reload();
  const gone = status === 401 || status === 404;
  views.append(make('div', { class: 'nothing', role: 'alert' },
    make('h1', {}, gone ? 'This link leads nowhere any more' : 'The session can’t be shown'),
    make('p', {}, gone ? 'It has expired or was revoked, or its session has ended. Ask whoever gave it to you for another.' : message),
    ...(gone ? [] : [again])));
}

/** What the guest may do, and for how long. */
class GuestLine {
  private readonly title = make('bdi');
  private readonly terms = make('span', { class: 'terms' });
  readonly element = make('header', { class: 'bar guest' }, this.title, this.terms);
  private readonly timer = setInterval(() => this.tick(), TICK);

  constructor(private readonly visitor: Visitor) {
    this.tick();
  }

  get name(): string {
    return this.title.textContent ?? '';
  }

  set name(name: string) {
    if (this.title.textContent !== name) this.title.textContent = name;
  }

  /** It is over, and why: there is nothing to try again. */
  end(view: TerminalView, reason: string): void {
    clearInterval(this.timer);
    const text = reason === '' ? 'this link counts no more' : reason;
    const said = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
    this.terms.textContent = said;
    view.tell(`${said}. What it showed last stays here until you leave.`);
  }

  private tick(): void {
    const { access, expires } = this.visitor;
    const what = access === 'read' ? 'Read-only' : 'You can type';
    const text = expires === null ? what : `${what}, until ${moment(expires)} (${remaining(expires, Date.now() / 1000)})`;
    if (this.terms.textContent !== text) this.terms.textContent = text;
  }
}

/** Unix seconds as people say it: the time, and the day where that is another. */
function moment(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}
