// What a person does with a terminal beside typing: find, copy, paste, enlarge, read as text, choose settings. Each is
// in the menu, and most have keys.

import { readClipboard, writeClipboard } from './clipboard.ts';
import { confirm, openDialog, answer } from './dialogs.ts';
import { make } from './elements.ts';
import { later } from './later.ts';
import { openMenu, type Entries } from './menu.ts';
import type { Notice } from './notice.ts';
import { harmless, lineCount, runsAtOnce } from './paste.ts';
import { Search } from './search.ts';
import { settings } from './settings.ts';
import { command, keysOf, platform, type Command, type Platform } from './shortcuts.ts';
import type { Owner, Terminal } from './terminal.ts';
import { larger, usual } from './zoom.ts';

/** Characters: more than this is asked about, whatever the shell would do with it. */
const LARGE = 1 << 20;
/** Of a text that is asked about, so much is shown. */
const SHOWN = 4000;
/** Of a text that a program wants to copy. */
const EXCERPT = 60;

export const here: Platform = platform(navigator.platform);

export interface Surface {
  terminal: Terminal;
  notice: Notice;
  /** The button that the menu opens at. */
  button: HTMLElement;
  readonly(): boolean;
  /** What else the menu has. */
  entries(): Entries;
}

export class Tools {
  private readonly search: Search;

  constructor(parent: HTMLElement, private readonly surface: Surface) {
    const { terminal } = surface;
    this.search = new Search(parent, terminal);
    terminal.oncopy = (text) => this.asked(text);
    // Before xterm.js has it: what is pasted is looked at first, by whatever way it comes.
    parent.addEventListener('paste', (event) => this.pasted(event), { capture: true });
    surface.button.onclick = () => this.menu();
  }

  /** Whose a key is, that went down in the terminal. */
  key(event: KeyboardEvent): Owner {
    const meant = command(event, here, this.surface.terminal.xterm.hasSelection());
    if (meant === null) return 'shell';
    if (meant === 'paste') return 'browser'; // which asks nobody for what is in the clipboard
    this.run(meant);
    return 'page';
  }

  run(meant: Command): void {
    const { terminal } = this.surface;
    switch (meant) {
      case 'find':
        return void this.search.open();
      case 'copy':
        return void this.copy();
      case 'paste':
        return void this.pasteFromMenu();
      case 'larger':
        return larger(1);
      case 'smaller':
        return larger(-1);
      case 'usual':
        return usual();
      case 'settings':
        return void later.settings().then(({ openSettings }) => openSettings());
      case 'text':
        return void later.text().then(({ openText }) => openText(terminal));
      case 'menu':
        return this.menu();
    }
  }

  private menu(): void {
    const { terminal, button, readonly, entries } = this.surface;
    const entry = (text: string, meant: Command, disabled = false): Entries[number] =>
      ({ text, keys: keysOf(meant, here), disabled, act: () => this.run(meant) });
    openMenu(button, 'Terminal', [
      entry('Find …', 'find'),
      entry('Copy', 'copy', !terminal.xterm.hasSelection()),
      entry('Paste', 'paste', readonly()),
      entry('Text and links …', 'text'),
      null,
      entry('Larger letters', 'larger'),
      entry('Smaller letters', 'smaller'),
      entry('Letters of the usual size', 'usual'),
      null,
      ...entries(),
      entry('Settings …', 'settings'),
    ], () => terminal.focus());
  }

  // Copy

  private async copy(): Promise<void> {
    const { terminal } = this.surface;
    const text = terminal.xterm.getSelection();
    if (text !== '') await this.write(text);
    terminal.focus();
  }

  private async write(text: string): Promise<void> {
    if (await writeClipboard(text)) return;
    // Some browsers want a press of a button for each.
    this.surface.notice.show(
      `Ready to copy ${excerpt(text)}`,
      { text: 'Copy', primary: true, act: () => void writeClipboard(text) },
      { text: 'Cancel', act: () => {} },
    );
  }

  /** A program wants to copy. */
  private asked(text: string): void {
    const { notice } = this.surface;
    const { copying } = settings.now;
    if (copying === 'always') void this.write(text);
    if (copying !== 'ask') return;
    notice.show(
      `The program wants to copy ${excerpt(text)}`,
      { text: 'Copy', primary: true, act: () => void this.write(text) },
      { text: 'Always', act: () => { settings.set({ copying: 'always' }); void this.write(text); } },
      { text: 'Never', act: () => settings.set({ copying: 'never' }) },
    );
  }

  // Paste

  private pasted(event: ClipboardEvent): void {
    if (!this.surface.terminal.xterm.element?.contains(event.target as Node)) return; // into the search's own field
    event.preventDefault();
    event.stopPropagation();
    void this.paste(event.clipboardData?.getData('text/plain') ?? '');
  }

  /** A menu has no text of its own: the browser is asked for it, or the person. */
  private async pasteFromMenu(): Promise<void> {
    this.surface.terminal.focus();
    const text = await readClipboard() ?? await askForText();
    await this.paste(text);
  }

  async paste(text: string): Promise<void> {
    const { terminal, readonly } = this.surface;
    const clean = harmless(text);
    if (clean === '' || readonly()) return;
    const { bracketedPasteMode } = terminal.xterm.modes;
    const risky = settings.now.pasteCheck && runsAtOnce(clean, bracketedPasteMode);
    if ((risky || clean.length > LARGE) && !(await this.sure(clean, risky))) return;
    terminal.xterm.paste(clean);
    terminal.focus();
  }

  private async sure(text: string, risky: boolean): Promise<boolean> {
    const count = lineCount(text);
    const lines = count === 1 ? 'one line' : `${count} lines`;
    const never = make('input', { type: 'checkbox' });
    const content = [
      make('p', {}, risky
        ? 'The program does not tell pasted text from typed text, so each line is run as soon as it is pasted.'
        : `That is ${text.length} characters.`),
      make('pre', { tabindex: '0', 'aria-label': 'What is pasted' }, text.slice(0, SHOWN) + (text.length > SHOWN ? ' …' : '')),
      ...(risky ? [make('label', { class: 'check' }, never, 'Don’t ask again')] : []),
    ];
    const yes = await confirm(`Paste ${lines}?`, content, 'Paste');
    if (yes && never.checked) settings.set({ pasteCheck: false });
    return yes;
  }
}

async function askForText(): Promise<string> {
  const area = make('textarea', { 'aria-label': 'Text to paste', rows: '5', spellcheck: 'false', autocapitalize: 'off' });
  const dialog = openDialog(
    'Paste', [make('p', {}, 'The browser keeps the clipboard to itself. Paste here what the terminal is to get.'), area],
    [{ text: 'Cancel', value: '' }, { text: 'Paste', value: 'yes', primary: true }],
  );
  area.focus();
  return (await answer(dialog)) === 'yes' ? area.value : '';
}

/** A text in quotes, short, on one line. */
function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `“${line.length > EXCERPT ? `${line.slice(0, EXCERPT)} …` : line}”`;
}
