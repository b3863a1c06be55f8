// One thing that a person may decide, at the foot of a terminal, without taking the keyboard from it.

import { make } from './elements.ts';

export interface Action {
  text: string;
  primary?: boolean;
  act(): void;
}

export class Notice {
  private readonly text = make('span', { class: 'notice-text' });
  private readonly actions = make('span', { class: 'notice-actions' });
  private readonly element = make('div', { class: 'notice', role: 'alert', hidden: true }, this.text, this.actions);

  /** `back` gives the keyboard back to where it belongs. */
  constructor(parent: HTMLElement, private readonly back: () => void) {
    // A click leaves the keyboard where it is: a button that it went to is hidden the next moment.
    this.element.addEventListener('mousedown', (event) => { if (event.target !== this.text) event.preventDefault(); });
    parent.append(this.element);
  }

  get shown(): boolean {
    return !this.element.hidden;
  }

  /** In place of whatever it said before. Each action takes it away. */
  show(text: string, ...actions: Action[]): void {
    this.text.textContent = text;
    this.actions.replaceChildren(...actions.map(({ text: name, primary = false, act }) => {
      const button = make('button', { type: 'button', class: primary ? 'primary' : false }, name);
      button.onclick = () => {
        this.hide();
        act();
      };
      return button;
    }));
    this.element.hidden = false;
  }

  hide(): void {
    const focused = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (focused) this.back();
  }
}
