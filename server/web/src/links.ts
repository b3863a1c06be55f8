// Where links may lead, and how they are opened. Text in a terminal is anybody's, so a link shows where it goes first,
// and opens a page that knows nothing of this one.

const SAFE = new Set(['http:', 'https:', 'mailto:']);
const LONGEST = 4096;

/** A link as it would be opened, with a host in other letters than Latin spelled out; null where it may not be. */
export function safeLink(text: string): string | null {
  if (text.length > LONGEST) return null;
  try {
    const url = new URL(text);
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function openLink(url: string): void {
  window.open(url, '_blank', 'noopener,noreferrer');
}

const IN_TEXT = /\bhttps?:\/\/[^\s"'<>`{}|\\^]+[^\s"'<>`{}|\\^:,.;!?)\]]/g;

/** The links in a text, each once. */
export function linksIn(text: string): string[] {
  const found = (text.match(IN_TEXT) ?? []).map(safeLink).filter((link) => link !== null);
  return [...new Set(found)];
}
