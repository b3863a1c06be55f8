// Questions of programs that xterm.js leaves open. The server answers what the page does not, but only after it has
// waited for the page; and programs ask these when they start.

import type { Terminal as Xterm } from '@xterm/xterm';
import { capabilities } from './capabilities.ts';

/** What the server's own terminal answers, too (`terminal/queries.py`). */
const NAME = '\x1bP>|reconnectingpty\x1b\\';
const UNIT = '\x1bP!|00000000\x1b\\';
/** Keys are never reported in kitty's way. */
const NO_FLAGS = '\x1b[?0u';

export function answerMore(xterm: Xterm): void {
  const say = (answer: string): true => {
    xterm.input(answer, false);
    return true;
  };
  const { parser } = xterm;
  parser.registerDcsHandler({ intermediates: '+', final: 'q' }, (names) => say(capabilities(names)));
  parser.registerCsiHandler({ prefix: '>', final: 'q' }, ([which]) => which === 0 && say(NAME));
  parser.registerCsiHandler({ prefix: '=', final: 'c' }, ([which]) => which === 0 && say(UNIT));
  parser.registerCsiHandler({ prefix: '?', final: 'u' }, () => say(NO_FLAGS));
}
