// What browser tests look at, in pages that are opened with test=1.

import type { TerminalView } from './terminal-view.ts';

/** Show a view as `window.reconnectingptyTest`; the one shown last is the one that is seen. */
export function expose(view: TerminalView): void {
  const { client, terminal } = view;
  Object.assign(window, {
    reconnectingptyTest: {
      session: view.session,
      state: () => client.state,
      epoch: () => client.epoch,
      offset: () => client.offset,
      viewers: () => client.viewers,
      size: () => ({ rows: terminal.xterm.rows, cols: terminal.xterm.cols }),
      fitting: () => terminal.size(),
      text: () => terminal.text(),
      xterm: terminal.xterm,
    },
  });
}
