// The search in a terminal and its scrollback. It looks from the newest line upwards, as people do.

import type { ISearchOptions, SearchAddon } from '@xterm/addon-search';
import { make } from './elements.ts';
import { icon } from './icons.ts';
import { later } from './later.ts';
import type { Terminal } from './terminal.ts';
import { look } from './theme.ts';

/** More than these are not counted. */
const MOST = 1000;

export class Search {
  private readonly input = make('input', {
    type: 'search', 'aria-label': 'Find in the terminal', placeholder: 'Find', autocomplete: 'off',
    autocapitalize: 'off', spellcheck: 'false',
  });
  private readonly count = make('span', { class: 'count', role: 'status' });
  private readonly exact = toggle('Aa', 'Match case');
  private readonly regex = toggle('.*', 'Regular expression');
  private readonly bar: HTMLElement;
  private addon: SearchAddon | null = null;

  constructor(parent: HTMLElement, private readonly terminal: Terminal) {
    const press = (name: 'up' | 'down' | 'close', label: string, act: () => void): HTMLElement => {
      const button = make('button', { type: 'button', class: 'plain', 'aria-label': label, title: label }, icon(name));
      button.onclick = act;
      return button;
    };
    this.bar = make(
      'div', { class: 'search', role: 'search', hidden: true },
      this.input, this.count, this.exact, this.regex,
      press('up', 'Older match', () => this.find(true)),
      press('down', 'Newer match', () => this.find(false)),
      press('close', 'Close search', () => this.close()),
    );
    parent.append(this.bar);
    this.input.oninput = () => this.begin();
    for (const button of [this.exact, this.regex]) {
      button.onclick = () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        this.begin();
      };
    }
    this.bar.onkeydown = (event) => {
      if (event.key === 'Escape') this.close();
      else if (event.key === 'Enter' && event.target === this.input) this.find(!event.shiftKey);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
  }

  async open(): Promise<void> {
    const selected = this.terminal.xterm.getSelection();
    this.bar.hidden = false;
    if (selected !== '' && !selected.includes('\n')) this.input.value = selected;
    this.input.focus();
    this.input.select();
    await this.load();
    if (this.input.value !== '') this.begin();
  }

  close(): void {
    this.bar.hidden = true;
    this.addon?.clearDecorations();
    this.terminal.focus();
  }

  private async load(): Promise<void> {
    const { SearchAddon } = await later.search();
    if (this.addon !== null) return;
    this.addon = new SearchAddon({ highlightLimit: MOST });
    this.addon.onDidChangeResults(({ resultIndex, resultCount }) => this.tell(resultIndex, resultCount));
    this.terminal.xterm.loadAddon(this.addon);
  }

  /** Another search: from the newest line on. */
  private begin(): void {
    this.terminal.xterm.clearSelection();
    this.addon?.clearDecorations(); // which it keeps when only the case or the kind of the pattern has changed
    this.find(true);
  }

  private find(older: boolean): void {
    const { value } = this.input;
    const wrong = this.pressed(this.regex) && !isRegex(value);
    this.input.setAttribute('aria-invalid', String(wrong));
    if (value === '' || wrong) {
      this.addon?.clearDecorations();
      this.count.textContent = wrong ? 'No such pattern' : '';
    } else if (older) {
      this.addon?.findPrevious(value, this.options());
    } else {
      this.addon?.findNext(value, this.options());
    }
  }

  private options(): ISearchOptions {
    const { selection, accent } = look.now;
    return {
      caseSensitive: this.pressed(this.exact),
      regex: this.pressed(this.regex),
      decorations: {
        matchBackground: selection,
        matchOverviewRuler: selection,
        activeMatchBackground: selection,
        activeMatchBorder: accent,
        activeMatchColorOverviewRuler: accent,
      },
    };
  }

  private tell(index: number, count: number): void {
    if (this.input.value === '') this.count.textContent = '';
    else if (count === 0) this.count.textContent = 'None';
    else if (index < 0) this.count.textContent = `${count}${count >= MOST ? '+' : ''}`;
    else this.count.textContent = `${index + 1} of ${count}`;
  }

  private pressed(button: HTMLElement): boolean {
    return button.getAttribute('aria-pressed') === 'true';
  }
}

function toggle(text: string, label: string): HTMLButtonElement {
  return make('button', { type: 'button', class: 'plain', 'aria-label': label, title: label, 'aria-pressed': 'false' }, text);
}

function isRegex(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}
