// The small questions about sessions: what a new one runs, what one is called, whether it is to end.

import { answer, confirm, openDialog } from '../dialogs.ts';
import { make } from '../elements.ts';
import type { Api, Session, Visitor, Wish } from './api.ts';
import { nameOf } from './describe.ts';

const LONGEST_NAME = '80';

interface Field {
  key: 'name' | 'command' | 'container' | 'container_user';
  label: string;
  hint: string;
  code: boolean;
}

const FIELDS: Record<Field['key'], Field> = {
  name: { key: 'name', label: 'Name', hint: 'none', code: false },
  command: { key: 'command', label: 'Command', hint: 'the server’s own', code: true },
  container: { key: 'container', label: 'Container', hint: 'none', code: true },
  container_user: { key: 'container_user', label: 'User in the container', hint: 'the container’s own', code: true },
};

/** Ask what a new session is to be, and start it; null: it was not wanted after all. */
export async function startSession(api: Api, may: Visitor['may']): Promise<Session | null> {
  const keys: Field['key'][] = ['name'];
  if (may.command) keys.push('command');
  if (may.containers) keys.push('container', 'container_user');
  const inputs = new Map(keys.map((key) => [key, field(FIELDS[key])]));
  const rows = [...inputs].map(([key, input]) => make('label', {}, FIELDS[key].label, input));
  return ask('New session', rows, 'Start', () => {
    const wish: Wish = {};
    for (const [key, input] of inputs) if (input.value.trim() !== '') wish[key] = input.value.trim();
    return api.start(wish);
  });
}

/** Ask for a session's name, and give it; null: it keeps the one it has. */
export async function renameSession(api: Api, session: Session): Promise<Session | null> {
  const input = field(FIELDS.name);
  input.value = session.name;
  const row = make('label', {}, 'Name', input);
  return ask('Rename', [subject(session), row], 'Rename', () => api.rename(session.id, input.value.trim()), input);
}

/** Ask whether a session is to end, and end it. */
export async function endSession(api: Api, session: Session): Promise<boolean> {
  const others = session.viewers > 1 ? ` ${session.viewers} look at it now.` : '';
  const told = make('p', {}, `All that runs in it is ended, for everybody.${others}`);
  if (!(await confirm('End this session?', [subject(session), told], 'End it'))) return false;
  try {
    await api.kill(session.id);
    return true;
  } catch (error) {
    await tell('It could not be ended', error);
    return false;
  }
}

export async function tell(title: string, error: unknown): Promise<void> {
  await answer(openDialog(title, [make('p', {}, (error as Error).message)], [{ text: 'Close', value: '', primary: true }]));
}

/** Which session it is about. */
export function subject(session: Session): HTMLElement {
  const name = make('bdi', {}, nameOf(session));
  return make('p', { class: 'subject' }, name, ' ', make('bdi', { class: 'command' }, session.command));
}

function field({ hint, code, key }: Field): HTMLInputElement {
  return make('input', {
    class: code ? 'code' : false, placeholder: hint, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    maxlength: key === 'name' ? LONGEST_NAME : false,
  });
}

/** A form that stays, and says why, until what it asks for could be done or is not wanted any more. */
async function ask(
  title: string, rows: HTMLElement[], yes: string, act: () => Promise<Session>, selected?: HTMLInputElement,
): Promise<Session | null> {
  const problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  const dialog = openDialog(title, [...rows, problem], [
    { text: yes, value: 'yes', primary: true }, { text: 'Cancel', value: '' },
  ], 'asking');
  const form = dialog.querySelector('form')!;
  dialog.querySelector('input')?.focus();
  selected?.select();
  let done: Session | null = null;
  let busy = false;
  form.addEventListener('submit', (event) => {
    if ((event.submitter as HTMLButtonElement | null)?.value !== 'yes') return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    act().then(
      (session) => {
        done = session;
        dialog.close();
      },
      (error: Error) => {
        problem.textContent = error.message;
        problem.hidden = false;
        busy = false;
      },
    );
  });
  await answer(dialog);
  return done;
}
