// Where a link leads, shown before it is followed: the mouse sees it at the foot of the terminal and follows with Ctrl
// (Cmd on a Mac) and a click; a finger gets to choose.

import { writeClipboard } from './clipboard.ts';
import { make } from './elements.ts';
import { openLink, safeLink } from './links.ts';
import type { Notice } from './notice.ts';
import type { LinkWatcher } from './terminal.ts';

export class LinkCard implements LinkWatcher {
  private readonly address = make('bdi', {});
  private readonly hint = make('span', { class: 'hint' });
  private readonly element = make('div', { class: 'link-card', hidden: true }, this.address, this.hint);
  private pointer = 'mouse';

  constructor(stage: HTMLElement, private readonly notice: Notice, private readonly mac: boolean) {
    stage.append(this.element);
    stage.addEventListener('pointerdown', (event) => { this.pointer = event.pointerType; }, { capture: true });
  }

  hover(_: MouseEvent, url: string): void {
    if (this.pointer === 'touch') return;
    const safe = safeLink(url);
    this.address.textContent = safe ?? url;
    this.hint.textContent = safe === null ? 'not opened: no link to the web' : `${this.mac ? '⌘' : 'Ctrl'}+click opens`;
    this.element.hidden = false;
  }

  leave(): void {
    this.element.hidden = true;
  }

  activate(event: MouseEvent, url: string): void {
    const safe = safeLink(url);
    if (safe === null) return;
    if (this.mac ? event.metaKey : event.ctrlKey) openLink(safe);
    else if (this.pointer === 'touch') this.offer(safe);
  }

  private offer(url: string): void {
    this.notice.show(
      url,
      { text: 'Open', primary: true, act: () => openLink(url) },
      { text: 'Copy', act: () => void writeClipboard(url) },
      { text: 'Cancel', act: () => {} },
    );
  }
}
