// A socket, a clock and a screen that tests drive by hand.

import { Client, type Diagnosis, type Screen, type Socket } from '../src/client.ts';
import type { Size } from '../src/protocol.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

export class FakeSocket implements Socket {
  binaryType = '';
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  sent: (string | Uint8Array)[] = [];
  closed = false;

  constructor(readonly url: string, readonly protocol: string) {}

  send(data: string | Uint8Array): void {
    if (this.closed) throw new Error('sent on a closed socket');
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  // The server's side

  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  tellText(frame: string): void {
    this.onmessage?.({ data: frame });
  }

  output(data: string): void {
    this.onmessage?.({ data: bytes(data).buffer });
  }

  drop(code = 1006, reason = ''): void {
    this.closed = true;
    this.onclose?.({ code, reason });
  }

  get typed(): string {
    return this.sent.map((frame) => (typeof frame === 'string' ? '' : text(frame))).join('');
  }

  said(type: string): Record<string, unknown>[] {
    return this.sent
      .filter((frame) => typeof frame === 'string')
      .map((frame) => JSON.parse(frame) as Record<string, unknown>)
      .filter((message) => message['type'] === type);
  }
}

export class FakeClock {
  time = 1000;
  private timers: { at: number; act: () => void }[] = [];

  later(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.time + milliseconds, act };
    this.timers.push(timer);
    return () => { this.timers = this.timers.filter((other) => other !== timer); };
  }

  /** Let time pass, and what is due happen in its order. */
  pass(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.act();
    }
    this.time = end;
  }
}

export class FakeScreen implements Screen {
  fitting: Size = { rows: 30, cols: 100 };
  shown: Size = { rows: 30, cols: 100 };
  text = '';
  pictures = 0;
  private pending: (() => void)[] = [];

  size(): Size {
    return this.fitting;
  }

  resize(size: Size): void {
    this.shown = size;
  }

  draw(size: Size, picture: Uint8Array): void {
    this.pictures += 1;
    this.shown = size;
    this.text = text(picture);
  }

  write(data: Uint8Array, done: () => void): void {
    this.text += text(data);
    this.pending.push(done);
  }

  /** The terminal has processed what was written. */
  process(): void {
    for (const done of this.pending.splice(0)) done();
  }
}

export class Bench {
  sockets: FakeSocket[] = [];
  clock = new FakeClock();
  screen = new FakeScreen();
  diagnosis: Diagnosis = { kind: 'unreachable' };
  random = 0.5;
  client: Client;

  constructor(who: { readonly?: boolean; command?: string } = {}) {
    const identity = { session: 's', client: 'c', readonly: false, command: '', ...who };
    this.client = new Client('ws://h', identity, this.screen, {
      socket: (url, protocol) => {
        this.sockets.push(new FakeSocket(url, protocol));
        return this.socket;
      },
      diagnose: () => Promise.resolve(this.diagnosis),
      later: (milliseconds, act) => this.clock.later(milliseconds, act),
      now: () => this.clock.time,
      random: () => this.random,
    });
    this.client.connect();
  }

  /** The newest one. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing has connected yet');
    return socket;
  }

  get query(): Record<string, string> {
    return Object.fromEntries(new URL(this.socket.url).searchParams);
  }

  hello(more: object = {}): void {
    this.socket.tell({
      type: 'hello', session: 's', epoch: 'e1', backend: 'buffered', created: 0, rows: 30, cols: 100, readonly: false,
      offset: 0, snapshot: 0, input_offset: 0, window: 100, ...more,
    });
  }

  type(data: string): void {
    this.client.input(bytes(data));
  }

  /** The connection breaks, and the page comes back. */
  reconnect(code = 1006): void {
    this.socket.drop(code);
    this.client.connect();
  }
}

/** Let promises that are settled have their say. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}
