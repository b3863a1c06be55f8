// Dialogs made when they are needed and gone when they are closed. The browser keeps the keyboard inside one, and puts
// it back where it was.

import { make } from './elements.ts';

/** A button of a dialog, which closes it. */
export interface Choice {
  text: string;
  value: string;
  primary?: boolean;
}

let made = 0;

/** Show a dialog; its element, whose `close` event tells when it has gone. `choices` stand in its last line. */
export function openDialog(title: string, content: (Node | string)[], choices: Choice[], kind = ''): HTMLDialogElement {
  made += 1;
  const id = `dialog-${made}`;
  const buttons = choices.map(({ text, value, primary = false }) =>
    make('button', { value, class: primary ? 'primary' : false }, text));
  const form = make('form', { method: 'dialog' }, make('h1', { id }, title), ...content);
  if (buttons.length > 0) form.append(make('div', { class: 'buttons' }, ...buttons));
  const dialog = make('dialog', { 'aria-labelledby': id, class: kind || false }, form);
  dialog.addEventListener('close', () => dialog.remove());
  // A click beside it, on the backdrop, leaves it, too.
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!inside) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** The value of the button that closed it; '' where it was left without one. */
export function answer(dialog: HTMLDialogElement): Promise<string> {
  return new Promise((done) => dialog.addEventListener('close', () => done(dialog.returnValue), { once: true }));
}

/** Ask for yes or no. `content` is below the title; the answer that changes nothing is where the keyboard begins. */
export async function confirm(title: string, content: (Node | string)[], yes: string, no = 'Cancel'): Promise<boolean> {
  const choices = [{ text: no, value: '' }, { text: yes, value: 'yes', primary: true }];
  const dialog = openDialog(title, content, choices);
  dialog.querySelector<HTMLElement>('.buttons button')?.focus();
  return (await answer(dialog)) === 'yes';
}
