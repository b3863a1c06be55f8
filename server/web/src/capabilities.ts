// XTGETTCAP (xterm's ctlseqs, "DCS + q"): a program asks for entries of terminfo, vim each time that it starts. xterm.js
// does not answer, and the server, which then does, first waits for the page. Pure.

/** What the server's own terminal says, too (`terminal/queries.py`). */
const KNOWN = new Map([['TN', 'xterm-256color'], ['name', 'xterm-256color'], ['Co', '256'], ['colors', '256'], ['RGB', '8']]);
/** Names in one question; more are nobody's honest question. */
const MOST = 64;

/** What to answer to names in hexadecimal, by semicolons. The first unknown one ends the answer. */
export function capabilities(names: string): string {
  let answer = '';
  for (const code of names.split(';', MOST)) {
    const value = KNOWN.get(unpacked(code));
    if (value === undefined) return `${answer}\x1bP0+r${/^[0-9A-Za-z]+$/.test(code) ? code : ''}\x1b\\`;
    answer += `\x1bP1+r${code}=${packed(value)}\x1b\\`;
  }
  return answer;
}

function unpacked(code: string): string {
  return /^([0-9A-Fa-f]{2})+$/.test(code)
    ? code.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16))) : '';
}

function packed(text: string): string {
  return [...text].map((character) => character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')).join('');
}
