// The token for a cookie. The token is kept nowhere: not in storage, not in the address bar, not in the form.

import type { Diagnosis } from './client.ts';
import { element } from './elements.ts';
import { base } from './place.ts';

export type Login = 'done' | 'wrong' | 'unreachable';

export async function logIn(token: string): Promise<Login> {
  try {
    const answer = await fetch(`${base}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    return answer.ok ? 'done' : answer.status < 500 ? 'wrong' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}

/** Why a terminal could not be connected to: asked for without an upgrade, the server says what it has against it. */
export async function diagnose(url: string): Promise<Diagnosis> {
  try {
    const answer = await fetch(url.replace(/^ws/, 'http'), { cache: 'no-store' });
    if (answer.status === 401) return { kind: 'unauthorized' };
    // 426: now it would let us in, if only this were an upgrade.
    return { kind: 'refused', reason: answer.status === 426 ? '' : complaint(await answer.json()) };
  } catch {
    return { kind: 'unreachable' }; // a gateway without its server has an answer, too, but not such a one
  }
}

/** What is wrong, of the server's error. */
function complaint(error: { message: string; validations?: { field: string; detail: string }[] }): string {
  const fields = error.validations?.map(({ field, detail }) => `${field} ${detail}`) ?? [];
  return fields.join('; ') || error.message;
}

const COMPLAINTS: Record<Exclude<Login, 'done'>, string> = {
  wrong: 'That is not this server’s token.',
  unreachable: 'The server can’t be reached.',
};

/** Ask for the token until it is right. */
function askForToken(complaint: string): Promise<void> {
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

let unlocking: Promise<void> | null = null;

/** Have the person log in: one form, however many ask for it. */
export function unlock(complaint = ''): Promise<void> {
  unlocking ??= askForToken(complaint).finally(() => { unlocking = null; });
  return unlocking;
}
