// A finger on a terminal scrolls it, and two make its letters larger or smaller. Taps are left to the browser, which
// makes clicks of them.

import type { Terminal } from './terminal.ts';
import { settings } from './settings.ts';
import { resized } from './zoom.ts';

/** A finger that moves less than this is a tap. CSS pixels. */
const STILL = 8;
/** How much of its speed a terminal that was thrown keeps in a millisecond. */
const KEPT = 0.997;
/** Slower than this, in pixels a millisecond, it stands. */
const STANDING = 0.05;
/** How many milliseconds of the last movement count as its speed. */
const RECENT = 80;

export class Touch {
  private y = 0;
  private startY = 0;
  private startX = 0;
  private moving = false;
  private rest = 0;
  private trail: { y: number; at: number }[] = [];
  private thrown = 0;
  private pinch: { distance: number; size: number } | null = null;

  constructor(private readonly stage: HTMLElement, private readonly terminal: Terminal) {
    stage.addEventListener('touchstart', (event) => this.start(event), { passive: true });
    stage.addEventListener('touchmove', (event) => this.move(event), { passive: false });
    stage.addEventListener('touchend', (event) => this.end(event), { passive: true });
    stage.addEventListener('touchcancel', (event) => this.end(event), { passive: true });
    // Whoever types is shown what is typed, however far the lines were thrown before.
    terminal.xterm.onData(() => cancelAnimationFrame(this.thrown));
  }

  dispose(): void {
    cancelAnimationFrame(this.thrown);
  }

  private start({ touches }: TouchEvent): void {
    cancelAnimationFrame(this.thrown);
    this.moving = false;
    this.pinch = touches.length === 2 ? { distance: distance(touches), size: settings.now.fontSize } : null;
    const [finger] = touches;
    if (finger === undefined) return;
    this.startX = finger.clientX;
    this.startY = this.y = finger.clientY;
    this.rest = 0;
    this.trail = [];
  }

  private move(event: TouchEvent): void {
    if (this.pinch !== null && event.touches.length === 2) {
      event.preventDefault();
      resized(this.pinch.size * (distance(event.touches) / this.pinch.distance));
      return;
    }
    const [finger] = event.touches;
    if (finger === undefined || event.touches.length > 1 || this.pans()) return;
    const { clientX: x, clientY: y } = finger;
    if (!this.moving && Math.abs(y - this.startY) < STILL) return;
    if (!this.moving && Math.abs(x - this.startX) > Math.abs(y - this.startY)) return;
    this.moving = true;
    if (event.cancelable) event.preventDefault(); // no clicks at the end of it, and the page stays where it is
    this.scroll(this.y - y, x, y);
    this.y = y;
    this.trail = [...this.trail.filter(({ at }) => event.timeStamp - at < RECENT), { y, at: event.timeStamp }];
  }

  private end(event: TouchEvent): void {
    if (event.touches.length > 0) return;
    this.pinch = null;
    const [first] = this.trail;
    const last = this.trail.at(-1);
    if (!this.moving || first === undefined || last === undefined || last.at === first.at) return;
    if (event.timeStamp - last.at > RECENT || this.driven) return; // it stood before it was let go
    this.throw((first.y - last.y) / (last.at - first.at));
  }

  private throw(speed: number): void {
    let before = performance.now();
    const glide = (now: number): void => {
      const passed = Math.max(0, now - before);
      before = now;
      this.scroll(speed * passed, 0, 0);
      speed *= KEPT ** passed;
      if (Math.abs(speed) > STANDING) this.thrown = requestAnimationFrame(glide);
    };
    this.thrown = requestAnimationFrame(glide);
  }

  /** Scroll by pixels; whole lines are what there is. */
  private scroll(pixels: number, x: number, y: number): void {
    const { xterm } = this.terminal;
    const screen = this.stage.querySelector('.xterm-screen');
    if (screen === null) return;
    this.rest += pixels / (screen.clientHeight / xterm.rows);
    const lines = Math.trunc(this.rest);
    this.rest -= lines;
    if (!this.driven) {
      xterm.scrollLines(lines);
      return;
    }
    // A program that has the whole screen gets what a wheel would give it.
    for (let line = 0; line < Math.abs(lines); line += 1) {
      screen.dispatchEvent(new WheelEvent('wheel', {
        deltaY: Math.sign(lines), deltaMode: WheelEvent.DOM_DELTA_LINE, clientX: x, clientY: y, bubbles: true,
        cancelable: true,
      }));
    }
  }

  private get driven(): boolean {
    const { buffer, modes } = this.terminal.xterm;
    return buffer.active.type === 'alternate' || modes.mouseTrackingMode !== 'none';
  }

  /** Whether the terminal is larger than its stage, where a finger moves all of it. */
  private pans(): boolean {
    return this.stage.scrollHeight > this.stage.clientHeight + 1 || this.stage.scrollWidth > this.stage.clientWidth + 1;
  }
}

function distance({ 0: one, 1: other }: TouchList): number {
  return one === undefined || other === undefined
    ? 1 : Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
}
