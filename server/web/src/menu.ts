// A menu that opens at a button: arrows, letters, Home and End walk it, Enter takes, Escape and a click elsewhere leave.

import { make } from './elements.ts';

export interface Entry {
  text: string;
  /** The keys that do the same. */
  keys?: string;
  disabled?: boolean;
  act(): void;
}

/** `null` is a line between groups. */
export type Entries = (Entry | null)[];

const MARGIN = 8;

/** Open it above or below its button. `left` is called when it closes without anything taken. */
export function openMenu(button: HTMLElement, label: string, entries: Entries, left: () => void): void {
  const menu = make('div', { class: 'menu', role: 'menu', 'aria-label': label, popover: 'auto' });
  const items = entries.map((entry) => (entry === null ? make('div', { role: 'separator' }) : item(entry)));
  menu.append(...items);
  let taken = false;

  function item({ text, keys = '', disabled = false, act }: Entry): HTMLElement {
    const made = make(
      'button', { type: 'button', role: 'menuitem', tabindex: '-1', 'aria-disabled': disabled ? 'true' : false },
      make('span', {}, text), make('kbd', {}, keys),
    );
    made.onclick = () => {
      if (disabled) return;
      taken = true;
      menu.hidePopover();
      act();
    };
    return made;
  }

  menu.addEventListener('keydown', (event) => walk(menu, event));
  menu.addEventListener('toggle', (event) => {
    if (event.newState !== 'closed') return;
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
    if (!taken) left();
  });
  (document.querySelector('main') ?? document.body).append(menu);
  menu.showPopover();
  place(menu, button);
  button.setAttribute('aria-expanded', 'true');
  choices(menu)[0]?.focus();
}

const choices = (menu: HTMLElement): HTMLElement[] => [...menu.querySelectorAll<HTMLElement>('[role=menuitem]')];

function walk(menu: HTMLElement, event: KeyboardEvent): void {
  const all = choices(menu);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = {
    ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1, Tab: at + (event.shiftKey ? -1 : 1),
  }[event.key] ?? byLetter(all, at, event);
  if (to === null) return;
  event.preventDefault();
  all.at(to % all.length)?.focus();
}

function byLetter(all: HTMLElement[], at: number, { key, ctrlKey, metaKey, altKey }: KeyboardEvent): number | null {
  if (key.length !== 1 || key === ' ' || ctrlKey || metaKey || altKey) return null;
  const begins = (one: HTMLElement): boolean => one.innerText.toLowerCase().startsWith(key.toLowerCase());
  const found = [...all.slice(at + 1), ...all.slice(0, at + 1)].find(begins);
  return found === undefined ? null : all.indexOf(found);
}

function place(menu: HTMLElement, button: HTMLElement): void {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const above = top > innerHeight - bottom;
  const y = above ? top - height - MARGIN / 2 : bottom + MARGIN / 2;
  const x = left + width + MARGIN > innerWidth ? right - width : left;
  const within = (at: number, length: number, room: number): number =>
    Math.max(MARGIN, Math.min(at, room - length - MARGIN));
  menu.style.left = `${within(x, width, innerWidth)}px`;
  menu.style.top = `${within(y, height, innerHeight)}px`;
}
