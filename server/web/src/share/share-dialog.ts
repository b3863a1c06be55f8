// Links to one session: made, copied, listed, revoked. A link's text is seen here once, and holds no token of whoever
// made it.

import { writeClipboard } from '../clipboard.ts';
import { openDialog } from '../dialogs.ts';
import { make } from '../elements.ts';
import type { Api, Link, Session } from '../workspace/api.ts';
import { remaining } from '../workspace/describe.ts';
import { subject } from '../workspace/forms.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIMES: [number, string][] = [
  [15 * MINUTE, '15 minutes'], [HOUR, '1 hour'], [8 * HOUR, '8 hours'], [DAY, '1 day'], [7 * DAY, '7 days'],
  [30 * DAY, '30 days'],
];
const USUAL = HOUR;
const ACCESS: Record<Link['access'], string> = { read: 'Read-only', write: 'Read and write' };
const MEANING: Record<Link['access'], string> = {
  read: 'Whoever has the link sees what you see, and can touch nothing.',
  write: 'Whoever has the link can type, with all the rights that the session has.',
};
/** Milliseconds. */
const COPIED = 2_000;
const TICK = 15_000;

export function openShare(api: Api, session: Session): HTMLDialogElement {
  return new ShareDialog(api, session).dialog;
}

class ShareDialog {
  readonly dialog: HTMLDialogElement;
  private readonly meaning = make('p', { class: 'meaning' }, MEANING.read);
  private readonly time = make('select', { 'aria-label': 'How long it is good for' });
  private readonly made = make('div', { class: 'made', hidden: true });
  private readonly problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  private readonly list = make('ul', { class: 'shared', role: 'list' });
  private readonly links = make('section', { hidden: true }, make('h2', {}, 'Links that are good now'), this.list);
  private access: Link['access'] = 'read';

  constructor(private readonly api: Api, private readonly session: Session) {
    const create = make('button', { type: 'button', class: 'primary' }, 'Make a link');
    create.onclick = () => void this.attempt(() => this.create());
    for (const [seconds, text] of TIMES) {
      this.time.append(make('option', { value: String(seconds), selected: seconds === USUAL }, text));
    }
    const choice = make('fieldset', { class: 'access' }, make('legend', { class: 'unseen' }, 'What the link allows'),
      this.radio('read'), this.radio('write'));
    const row = make('div', { class: 'making' }, make('label', {}, 'Good for', this.time), create);
    this.dialog = openDialog(
      'Share', [subject(session), choice, this.meaning, row, this.problem, this.made, this.links],
      [{ text: 'Close', value: '' }], 'share',
    );
    const timer = setInterval(() => this.list.querySelectorAll<HTMLElement>('time').forEach(tick), TICK);
    this.dialog.addEventListener('close', () => clearInterval(timer));
    void this.attempt(() => this.refresh());
  }

  private radio(access: Link['access']): HTMLElement {
    const input = make('input', { type: 'radio', name: 'access', value: access, checked: access === this.access });
    input.onchange = () => {
      this.access = access;
      this.meaning.textContent = MEANING[access];
    };
    return make('label', {}, input, ACCESS[access]);
  }

  private async create(): Promise<void> {
    const link = await this.api.makeLink(this.session.id, this.access, Number(this.time.value));
    this.showMade(location.origin + link.path);
    await this.refresh();
  }

  /** The link, which the server tells once. */
  private showMade(address: string): void {
    const field = make('input', { readonly: true, value: address, 'aria-label': 'The link', spellcheck: 'false' });
    const copy = make('button', { type: 'button', class: 'primary' }, 'Copy');
    const said = make('span', { class: 'unseen', role: 'status' });
    field.onfocus = () => field.select();
    copy.onclick = async () => {
      const done = await writeClipboard(address);
      if (!done) field.focus();
      copy.textContent = said.textContent = done ? 'Copied' : 'Press Ctrl+C';
      setTimeout(() => { copy.textContent = 'Copy'; }, COPIED);
    };
    this.made.replaceChildren(
      make('div', { class: 'copying' }, field, copy, said),
      make('p', {}, 'It is shown only now: copy it before you close this.'),
    );
    this.made.hidden = false;
    copy.focus();
  }

  private async refresh(): Promise<void> {
    const links = await this.api.links(this.session.id);
    this.links.hidden = links.length === 0;
    this.list.replaceChildren(...[...links].reverse().map((link) => this.line(link)));
  }

  private line(link: Link): HTMLElement {
    const until = make('time', { datetime: new Date(link.expires * 1000).toISOString() });
    tick(until);
    const revoke = make('button', { type: 'button' }, 'Revoke');
    const made = new Date(link.created * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    revoke.setAttribute('aria-label', `Revoke the link of ${made}, ${ACCESS[link.access].toLowerCase()}`);
    revoke.onclick = () => void this.attempt(async () => {
      await this.api.revoke(this.session.id, link.id);
      await this.refresh();
      (this.list.querySelector('button') ?? this.dialog.querySelector<HTMLElement>('.buttons button'))?.focus();
    });
    return make('li', {},
      make('span', { class: 'what' }, ACCESS[link.access]), until,
      make('span', { class: 'origin' }, `made ${made} by `, make('bdi', {}, link.by)), revoke);
  }

  private async attempt(act: () => Promise<void>): Promise<void> {
    this.problem.hidden = true;
    try {
      await act();
    } catch (error) {
      this.problem.textContent = (error as Error).message;
      this.problem.hidden = false;
    }
  }
}

/** Write what is left of a link's time. */
function tick(time: HTMLElement): void {
  const until = Date.parse(time.getAttribute('datetime') ?? '') / 1000;
  const left = remaining(until, Date.now() / 1000);
  time.textContent = left === 'expired' ? left : `${left} left`;
}
