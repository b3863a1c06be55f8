// What the address bar says: which node, which session, what to run in it, and, for a moment only, the token.

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const NAME_LENGTH = 24;

/** A name that nobody guesses: some 142 bits. */
export function randomName(): string {
  let name = '';
  while (name.length < NAME_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(NAME_LENGTH))) {
      // Only whole multiples of the alphabet, so that each letter is as likely as any other.
      if (byte < 256 - (256 % LETTERS.length)) name += LETTERS.charAt(byte % LETTERS.length);
    }
  }
  return name.slice(0, NAME_LENGTH);
}

/** What stands before every path: a page below `/node/<name>` is that node's, whoever passes its requests on. */
export const base = /^\/node\/[^/]+/.exec(location.pathname)?.[0] ?? '';

/** A new session's name. The server gives it: where there are several, it says which of them has the session. */
export async function newSession(): Promise<string> {
  try {
    const answer = await fetch(`${base}/api/node`, { cache: 'no-store' });
    if (answer.ok) return ((await answer.json()) as { session: string }).session;
  } catch {
    // Connecting will tell what is wrong.
  }
  return randomName();
}

export interface Place {
  session: string;
  command: string;
  readonly: boolean;
  test: boolean;
}

/** Where this page is. A page without a session gets a new one, which is written down so that a reload finds it. */
export async function place(): Promise<Place> {
  const query = new URLSearchParams(location.search);
  let session = query.get('session') ?? '';
  if (session === '' && !query.has('tabs')) {
    session = await newSession();
    query.set('session', session);
    replace(query);
  }
  return {
    session,
    command: query.get('command') ?? '',
    readonly: query.get('readonly') === '1',
    test: query.get('test') === '1',
  };
}

/** The command has been started, or was not wanted: a reload must not ask again, let alone run it again. */
export function forgetCommand(): void {
  const query = new URLSearchParams(location.search);
  if (!query.has('command')) return;
  query.delete('command');
  replace(query);
}

/** The token in the fragment, which is gone from the address bar and the history afterwards. */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

function replace(query: URLSearchParams): void {
  history.replaceState(null, '', `${location.pathname}?${query}${location.hash}`);
}
