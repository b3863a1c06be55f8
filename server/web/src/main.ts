// Puts the page together: where it is, and the view of its session.

import '@xterm/xterm/css/xterm.css';
import './style.css';
import './view.css';
import './panels.css';
import { element } from './elements.ts';
import { logIn, unlock } from './login.ts';
import { forgetCommand, openNewSession, place, takeToken } from './place.ts';
import { useStrictStyles } from './strict-styles.ts';
import { TerminalView } from './terminal-view.ts';
import { expose } from './test-hook.ts';
import { stayInView } from './viewport.ts';

/** Log in by the token in the address, if there is one. */
async function useToken(): Promise<void> {
  const token = takeToken();
  if (token !== null && (await logIn(token)) === 'wrong') {
    await unlock('The link’s token is not this server’s. It may be from before a restart.');
  }
}

/** A command in a link runs only if the person in front of it wants that. */
function confirmed(command: string): Promise<boolean> {
  const dialog = element('confirm', HTMLDialogElement);
  element('command', HTMLElement).textContent = command;
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === 'yes');
  });
}

/** The browser's tab has the terminal's title, and a mark when its bell rang while nobody looked. */
function nameTab(view: TerminalView): void {
  let rung = false;
  const show = (): void => { document.title = `${rung ? '● ' : ''}${view.title || 'reconnectingpty'}`; };
  view.on('title', show);
  view.on('bell', () => {
    rung = document.hidden;
    show();
  });
  document.addEventListener('visibilitychange', () => {
    rung = false;
    show();
  });
}

async function start(): Promise<void> {
  useStrictStyles();
  stayInView();
  const here = await place();
  const view = new TerminalView(element('views', HTMLElement), here);
  nameTab(view);
  view.on('state', (state) => { if (state.kind === 'open') forgetCommand(); });
  view.on('renew', () => void openNewSession());
  // The same link opened in a tab that has its page already.
  addEventListener('hashchange', () => void useToken().then(() => view.client.wake()));
  if (here.test) expose(view);
  view.focus();

  await useToken();
  if (here.command !== '' && !(await confirmed(here.command))) {
    forgetCommand();
    view.tell('The command was not run');
    return;
  }
  view.connect(true);
}

void start();
