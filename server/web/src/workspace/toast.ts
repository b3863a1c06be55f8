// A word about what has just been done, at the foot of the page, which goes by itself.

import { make } from '../elements.ts';

export interface Offer {
  text: string;
  act(): void;
}

const SECONDS = 12;

let shown: HTMLElement | null = null;

/** Say something, in place of what was said before. It stays while the mouse or the keyboard is in it. */
export function toast(message: string, ...offers: Offer[]): void {
  shown?.remove();
  const text = make('span', { role: 'status' });
  const element = make('div', { class: 'toast' }, text);
  const leave = (): void => element.remove();
  for (const { text: name, act } of [...offers, { text: 'Close', act: () => {} }]) {
    const button = make('button', { type: 'button' }, name);
    button.onclick = () => {
      leave();
      act();
    };
    element.append(button);
  }
  document.body.append(element);
  shown = element;
  text.textContent = message; // written into a region that is there already, so that it is read out
  let timer = 0;
  const wait = (): void => { timer = window.setTimeout(leave, SECONDS * 1000); };
  for (const stay of ['pointerenter', 'focusin']) element.addEventListener(stay, () => clearTimeout(timer));
  for (const go of ['pointerleave', 'focusout']) element.addEventListener(go, wait);
  wait();
}
