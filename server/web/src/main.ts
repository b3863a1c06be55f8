// Puts the page together: where it is, the terminal, the client, the status line.

import '@xterm/xterm/css/xterm.css';
import './style.css';
import { Client, type Socket } from './client.ts';
import { element } from './elements.ts';
import { askForToken, diagnose, logIn } from './login.ts';
import { forgetCommand, openNewSession, place, randomName, takeToken, type Place } from './place.ts';
import { Status } from './status.ts';
import { useStrictStyles } from './strict-styles.ts';
import { Terminal } from './terminal.ts';

/** Log in by the token in the address, if there is one. */
async function useToken(): Promise<void> {
  const token = takeToken();
  if (token !== null && (await logIn(token)) === 'wrong') {
    await askForToken('The link’s token is not this server’s. It may be from before a restart.');
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

function makeClient(here: Place, terminal: Terminal): Client {
  return new Client(
    location.origin.replace(/^http/, 'ws'),
    // Named for this page alone: a tab's storage is copied when the tab is duplicated, and two pages of one name
    // would push each other out.
    { session: here.session, client: randomName(), readonly: here.readonly, command: here.command },
    terminal,
    {
      socket: (url, protocol) => new WebSocket(url, protocol) as Socket,
      diagnose,
      later: (milliseconds, act) => {
        const timer = setTimeout(act, milliseconds);
        return () => clearTimeout(timer);
      },
      now: () => performance.now(),
      random: () => Math.random(),
    },
  );
}

/** What browser tests look at. */
function expose(client: Client, terminal: Terminal): void {
  Object.assign(window, {
    reconnectingptyTest: {
      state: () => client.state,
      epoch: () => client.epoch,
      offset: () => client.offset,
      viewers: () => client.viewers,
      size: () => ({ rows: terminal.xterm.rows, cols: terminal.xterm.cols }),
      fitting: () => terminal.size(),
      text: () => terminal.text(),
    },
  });
}

async function start(): Promise<void> {
  useStrictStyles();
  const here = place();
  const terminal = new Terminal(element('terminal', HTMLElement));
  const client = makeClient(here, terminal);
  const connect = (): void => {
    client.connect();
    terminal.xterm.focus();
  };
  const status = new Status(client, () => terminal.shown(), { connect, renew: openNewSession });

  let asking = false;
  const unlock = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    await askForToken();
    asking = false;
    connect();
  };
  client.onchange = () => {
    const { state } = client;
    if (state.kind === 'open') forgetCommand();
    terminal.readonly = here.readonly || state.kind === 'ended' || (state.kind === 'open' && state.readonly);
    status.update();
    if (state.kind === 'locked') void unlock();
  };
  terminal.oninput = (data) => client.input(data);
  terminal.onresize = () => {
    client.resized();
    status.update();
  };
  terminal.ontitle = (title) => { document.title = title || 'reconnectingpty'; };
  // Tab is the shell's, but where something is offered below the terminal the keyboard must get there.
  terminal.ontab = (shift) => (shift || client.state.kind === 'ended') && status.focus();

  addEventListener('online', () => client.wake());
  addEventListener('pageshow', () => client.wake());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) client.wake(); });
  // The same link opened in a tab that has its page already.
  addEventListener('hashchange', () => void useToken().then(() => client.wake()));
  if (here.test) expose(client, terminal);

  await useToken();
  if (here.command !== '' && !(await confirmed(here.command))) {
    forgetCommand();
    status.tell('The command was not run');
    return;
  }
  connect();
}

void start();
