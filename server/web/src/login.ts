// The token for a cookie. The token is kept nowhere: not in storage, not in the address bar, not in the form.

import type { Diagnosis } from './client.ts';
import { element } from './elements.ts';

export type Login = 'done' | 'wrong' | 'unreachable';

export async function logIn(token: string): Promise<Login> {
  try {
    const answer = await fetch('/api/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    return answer.ok ? 'done' : answer.status < 500 ? 'wrong' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}

/** Why a terminal could not be connected to. */
export async function diagnose(): Promise<Diagnosis> {
  try {
    const answer = await fetch('/api/whoami', { cache: 'no-store' });
    if (answer.status === 401) return 'unauthorized';
    return answer.ok ? 'refused' : 'unreachable'; // a gateway without its server has an answer, too
  } catch {
    return 'unreachable';
  }
}

const COMPLAINTS: Record<Exclude<Login, 'done'>, string> = {
  wrong: 'That is not this server’s token.',
  unreachable: 'The server can’t be reached.',
};

/** Ask for the token until it is right. */
export function askForToken(complaint = ''): Promise<void> {
  const dialog = element('login', HTMLDialogElement);
  const form = element('login-form', HTMLFormElement);
  const input = element('token', HTMLInputElement);
  const error = element('login-error', HTMLElement);
  error.textContent = complaint;
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  return new Promise((done) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const token = input.value.trim();
      input.value = '';
      const result = await logIn(token);
      if (result !== 'done') {
        error.textContent = COMPLAINTS[result];
        input.focus();
        return;
      }
      dialog.close();
      done();
    };
  });
}
