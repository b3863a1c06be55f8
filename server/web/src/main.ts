// Puts the page together: who it is, the terminal, the client, the status line.

import { Client, type Socket } from './client.ts';
import { askForToken, logIn, loggedIn, takeToken } from './login.ts';
import { Status, element } from './status.ts';
import { Terminal } from './terminal.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(22)), (byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** The session in the address; a new one is written there, so that reloading comes back to it. */
function sessionName(parameters: URLSearchParams): string {
  const given = parameters.get('session');
  if (given) return given;
  const name = randomName();
  parameters.set('session', name);
  history.replaceState(null, '', `${location.pathname}?${parameters}${location.hash}`);
  return name;
}

/** A command in a link runs only if the person in front of it wants that. */
function confirmed(command: string): Promise<boolean> {
  const dialog = element('confirm') as HTMLDialogElement;
  element('command').textContent = command;
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === 'yes');
    dialog.showModal();
  });
}

async function start(): Promise<void> {
  const token = takeToken();
  const parameters = new URLSearchParams(location.search);
  const session = sessionName(parameters);
  if (token !== null) await logIn(token).catch(() => false);
  if (!(await loggedIn())) await askForToken();
  const command = parameters.get('command') ?? '';
  if (command !== '' && !(await confirmed(command))) {
    element('message').textContent = 'Nothing was started.';
    return;
  }

  const terminal = new Terminal(element('terminal'));
  // A name for this page alone: a second tab, or this one duplicated, is another client.
  const client = new Client(
    location.origin.replace(/^http/, 'ws'),
    { session, client: randomName(), readonly: parameters.get('readonly') === '1', command },
    terminal,
    {
      socket: (url, protocol) => new WebSocket(url, protocol) as unknown as Socket,
      later: (milliseconds, act) => {
        const timer = setTimeout(act, milliseconds);
        return () => clearTimeout(timer);
      },
      now: () => performance.now(),
      random: () => Math.random(),
    },
  );
  const status = new Status({
    hurry: () => client.connect(),
    renew: () => {
      parameters.delete('command');
      parameters.set('session', randomName());
      location.search = parameters.toString();
    },
  });
  client.onchange = () => {
    status.show(client);
    terminal.xterm.options.disableStdin = client.state.kind === 'ended';
    if (client.state.kind === 'waiting') void checkLogin(client);
  };
  terminal.oninput = (data) => client.input(data);
  terminal.onresize = () => client.resized();
  terminal.ontitle = (title) => { document.title = title || 'reconnectingpty'; };
  for (const event of ['online', 'pageshow', 'focus'] as const) addEventListener(event, () => client.hurry());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) client.hurry(); });
  if (parameters.get('test') === '1') expose(client, terminal);
  client.connect();
}

let asking = false;

async function checkLogin(client: Client): Promise<void> {
  if (asking || (await loggedIn()) || asking) return;
  asking = true;
  await askForToken();
  asking = false;
  client.connect();
}

/** What the browser tests look at. */
function expose(client: Client, terminal: Terminal): void {
  Object.assign(window, {
    reconnectingptyTest: {
      state: () => client.state,
      offset: () => client.offset,
      epoch: () => client.epoch,
      size: () => ({ rows: terminal.xterm.rows, cols: terminal.xterm.cols }),
      text: () => {
        const buffer = terminal.xterm.buffer.active;
        const lines: string[] = [];
        for (let y = 0; y < buffer.length; y++) lines.push(buffer.getLine(y)?.translateToString(true) ?? '');
        return lines.join('\n').trimEnd();
      },
    },
  });
}

void start();
