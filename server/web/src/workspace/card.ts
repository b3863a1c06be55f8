// One session in the list. Whatever a program may have chosen (title, directory, what it shows) is text here, and kept
// apart from the text around it, so that none of it can be read in another order.

import { icon, type Icon } from '../icons.ts';
import { make } from '../elements.ts';
import type { Session } from './api.ts';
import { directory, idleness, nameOf, plain, viewers } from './describe.ts';

export interface CardActions {
  open(session: Session): void;
  beside(session: Session): void;
  rename(session: Session): void;
  duplicate(session: Session): void;
  share(session: Session): void;
  kill(session: Session): void;
}

/** What may be done with the sessions, and which are on the page. */
export interface Around {
  me: string;
  may: { create: boolean; share: boolean; kill: boolean };
  opened(session: string): boolean;
  idle(session: Session): number;
}

type Action = Exclude<keyof CardActions, 'open'>;

const BUTTONS: [Action, Icon, string][] = [
  ['beside', 'beside', 'Open beside'],
  ['rename', 'rename', 'Rename'],
  ['duplicate', 'duplicate', 'Duplicate'],
  ['share', 'share', 'Share'],
  ['kill', 'end', 'End'],
];

export class Card {
  private readonly name = make('bdi');
  private readonly title = make('bdi', { class: 'title' });
  private readonly mark = make('span', { class: 'here' }, 'open here');
  private readonly command = make('bdi', { class: 'command' });
  private readonly directory = make('bdi', { class: 'directory' });
  private readonly preview = make('pre');
  private readonly facts = make('span', { class: 'facts' });
  private readonly opener = make('button', { class: 'open', type: 'button' }, this.name);
  private readonly buttons = new Map<Action, HTMLButtonElement>();
  readonly element: HTMLLIElement;

  constructor(private session: Session, private readonly around: Around, actions: CardActions) {
    this.opener.onclick = () => actions.open(this.session);
    for (const [action, picture, label] of BUTTONS) {
      const button = make('button', { class: 'plain', type: 'button', title: label }, icon(picture));
      button.onclick = () => actions[action](this.session);
      this.buttons.set(action, button);
    }
    this.element = make(
      'li', { class: 'card', 'data-session': session.id },
      make('h2', {}, this.opener, this.mark), this.title,
      make('p', { class: 'runs' }, this.command, this.directory),
      this.preview,
      make('footer', {}, this.facts, make('span', { class: 'actions' }, ...this.buttons.values())),
    );
    this.update(session);
  }

  update(session: Session): void {
    this.session = session;
    const name = nameOf(session);
    write(this.name, name);
    write(this.title, session.title === name ? '' : session.title);
    write(this.command, session.command);
    write(this.directory, session.cwd === null ? '' : directory(session.cwd));
    write(this.preview, (session.preview ?? []).join('\n'));
    this.mark.hidden = !this.around.opened(session.id);
    const { may } = this.around;
    const writes = session.access === 'write';
    const allowed: Record<Action, boolean> = {
      beside: !this.around.opened(session.id),
      rename: writes,
      duplicate: writes && may.create,
      share: writes && may.share,
      kill: writes && may.kill,
    };
    for (const [action, , label] of BUTTONS) {
      const button = this.buttons.get(action)!;
      button.hidden = !allowed[action];
      button.setAttribute('aria-label', `${label}: ${plain(name)}`);
    }
    this.tick();
  }

  /** Time has passed. */
  tick(): void {
    const { rows, cols, viewers: count, owner } = this.session;
    write(this.facts, [
      owner === '' || owner === this.around.me ? '' : plain(owner),
      `${cols} × ${rows}`,
      viewers(count),
      idleness(this.around.idle(this.session)),
    ].filter(Boolean).join(' · '));
  }

  focus(): void {
    this.opener.focus();
  }
}

/** What is not written anew keeps its selection, and disturbs nobody. */
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
