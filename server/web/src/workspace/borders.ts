// What lies between the parts of a split: lines that are moved by mouse, by finger and by arrow keys.

import { make } from '../elements.ts';
import type { Border } from './layout.ts';

/** Of the whole split, at each press of an arrow. */
const STEP = 0.05;

export type Moved = (border: Border, position: number) => void;

export class Borders {
  private readonly lines: HTMLElement[] = [];
  private shown: readonly Border[] = [];

  constructor(private readonly parent: HTMLElement, private readonly moved: Moved) {}

  show(borders: readonly Border[]): void {
    this.shown = borders;
    while (this.lines.length > borders.length) this.lines.pop()!.remove();
    while (this.lines.length < borders.length) this.append();
    borders.forEach((border, at) => lay(this.lines[at]!, border));
  }

  private append(): void {
    const at = this.lines.length;
    const line = make('div', { class: 'border', role: 'separator', tabindex: '0', 'aria-label': 'Border between sessions' });
    line.onkeydown = (event) => this.key(event, at);
    line.onpointerdown = (event) => this.drag(line, at, event);
    line.ondblclick = () => this.even(at);
    this.lines.push(line);
    this.parent.append(line);
  }

  private key(event: KeyboardEvent, at: number): void {
    const { direction, position } = this.shown[at]!;
    const by = (direction === 'row'
      ? { ArrowLeft: -STEP, ArrowRight: STEP }
      : { ArrowUp: -STEP, ArrowDown: STEP } as Record<string, number>)[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.moved(this.shown[at]!, position + by);
  }

  private drag(line: HTMLElement, at: number, press: PointerEvent): void {
    if (press.button !== 0) return;
    press.preventDefault();
    line.setPointerCapture(press.pointerId);
    const done = new AbortController();
    const { signal } = done;
    line.addEventListener('pointermove', (event) => {
      const { direction, within } = this.shown[at]!;
      const { left, top, width, height } = this.parent.getBoundingClientRect();
      const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
      const position = direction === 'row' ? (x - within.left) / within.width : (y - within.top) / within.height;
      this.moved(this.shown[at]!, position);
    }, { signal });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      line.addEventListener(end, () => done.abort(), { signal });
    }
  }

  /** Make the two beside it equal. */
  private even(at: number): void {
    const border = this.shown[at]!;
    this.moved(border, (border.before + border.after) / 2);
  }
}

function lay(line: HTMLElement, { direction, within, position }: Border): void {
  const { style } = line;
  const [left, top] = direction === 'row'
    ? [within.left + within.width * position, within.top]
    : [within.left, within.top + within.height * position];
  style.left = `${left * 100}%`;
  style.top = `${top * 100}%`;
  style.width = direction === 'row' ? '' : `${within.width * 100}%`;
  style.height = direction === 'row' ? `${within.height * 100}%` : '';
  line.dataset['direction'] = direction;
  // A separator is named for how it lies itself.
  line.setAttribute('aria-orientation', direction === 'row' ? 'vertical' : 'horizontal');
  line.setAttribute('aria-valuenow', String(Math.round(position * 100)));
}
