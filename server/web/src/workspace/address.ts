// The layout in the address bar. Which session has the keyboard is `session`, as in an address of that session alone;
// `tabs` is there only where there is more to tell.

import { format, parse } from './layout-text.ts';
import { activeSession, allSessions, type Layout } from './layout.ts';

/** The layout that an address tells of; null where it tells of none. */
export function read(search: string): Layout | null {
  const query = new URLSearchParams(search);
  const tabs = query.get('tabs');
  return tabs === null ? null : parse(tabs, query.get('session') ?? '');
}

/** What an address is to say, with all else that it says left as it is. */
export function written(search: string, layout: Layout): string {
  const query = new URLSearchParams(search);
  const session = activeSession(layout);
  query.delete('tabs');
  if (session === null) query.delete('session');
  else query.set('session', session);
  const text = query.toString();
  if (session !== null && allSessions(layout).length === 1) return `?${text}`;
  // None of the signs of a layout has a meaning there, so they stay readable.
  return `?${text}${text === '' ? '' : '&'}tabs=${format(layout)}`;
}
