// The token for a cookie. The token is never kept: it is taken out of the address bar before anything else happens.

import { element } from './status.ts';

/** The token in the address's fragment, which is cleared of it. */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

export async function logIn(token: string): Promise<boolean> {
  const answer = await fetch('/api/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return answer.ok;
}

/** Whether the server knows this browser; true also where it can't be asked. */
export async function loggedIn(): Promise<boolean> {
  try {
    return (await fetch('/api/whoami')).status !== 401;
  } catch {
    return true;
  }
}

/** Ask for the token until it is right. */
export function askForToken(): Promise<void> {
  const dialog = element('login') as HTMLDialogElement;
  const input = element('token') as HTMLInputElement;
  const error = element('login-error');
  return new Promise((done) => {
    dialog.oncancel = (event) => event.preventDefault();
    dialog.onsubmit = (event) => {
      event.preventDefault();
      const token = input.value.trim();
      input.value = '';
      logIn(token).then(
        (right) => {
          if (!right) {
            error.textContent = 'That is not this server’s token.';
            return;
          }
          dialog.close();
          done();
        },
        () => { error.textContent = 'The server can’t be reached.'; },
      );
    };
    dialog.showModal();
  });
}
