// Puts the page together: who comes, and what they get to see.

import '@xterm/xterm/css/xterm.css';
import './style.css';
import './view.css';
import './panels.css';
import './workspace/workspace.css';
import './share/share.css';
import { element } from './elements.ts';
import { logIn, unlock } from './login.ts';
import { base, place, takeToken } from './place.ts';
import { enterByLink, hasShare, linkHere, showGuest, takeShare, tellNowhere } from './share/guest.ts';
import { useStrictStyles } from './strict-styles.ts';
import { stayInView } from './viewport.ts';
import { Api, type Fetch } from './workspace/api.ts';
import { Everywhere } from './workspace/everywhere.ts';
import { Workspace } from './workspace/workspace.ts';

const ask: Fetch = (path, how) => fetch(base + path, how);

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

/** The page of somebody who has a login, or gets one. */
async function work(views: HTMLElement): Promise<void> {
  const here = await place();
  const workspace = new Workspace(views, new Api(new Everywhere(ask).fetch, unlock), here);
  // The same link opened in a tab that has its page already.
  addEventListener('hashchange', () => void useToken().then(() => workspace.wake()));
  await useToken();
  if (here.command === '' || (await confirmed(here.command))) workspace.connect();
  else workspace.refuse('The command was not run');
}

/** The page of somebody who came by a link to one session. */
async function visit(views: HTMLElement, share: string | null): Promise<void> {
  try {
    const link = share === null ? linkHere() : await enterByLink(new Api(ask, null), share);
    await showGuest(views, new Api(ask, null, link), link ?? '');
  } catch (error) {
    tellNowhere(views, error);
  }
}

async function start(): Promise<void> {
  useStrictStyles();
  stayInView();
  const views = element('views', HTMLElement);
  addEventListener('hashchange', () => { if (hasShare()) location.reload(); });
  const share = takeShare();
  await (share !== null || linkHere() !== null ? visit(views, share) : work(views));
}

void start();
