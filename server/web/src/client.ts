// One client of one session, over as many connections as it takes. It knows no DOM and no terminal: it is given a
// way to make sockets, a clock, and a screen to draw on.
//
// Output goes on at its epoch and offset, so a reconnect shows nothing. Input is kept until the session has it.

import { RECONNECT, SUBPROTOCOL, address, decode, encode, type ClientMessage, type ServerMessage } from './protocol.ts';

export interface Socket {
  binaryType: string;
  readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number): void;
}

export interface Surroundings {
  socket(url: string, protocol: string): Socket;
  later(milliseconds: number, act: () => void): () => void;
  now(): number;
  random(): number;
}

export interface Screen {
  size(): { rows: number; cols: number };
  reset(): void;
  resize(rows: number, cols: number): void;
  /** `done` is called when the terminal has processed the bytes. */
  write(data: Uint8Array, done: () => void): void;
}

export type State =
  | { kind: 'connecting' }
  | { kind: 'open'; readonly: boolean }
  | { kind: 'waiting'; seconds: number; why: string }
  | { kind: 'ended'; why: string; code: number | null; refused: boolean };

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;
const PING_EVERY = 15_000;

export class Client {
  state: State = { kind: 'connecting' };
  epoch: string | null = null;
  offset = 0;
  viewers = 0;
  roundTrip: number | null = null;
  onchange: () => void = () => {};

  private socket: Socket | null = null;
  private picture = 0;
  private processed = 0;
  private acknowledged = 0;
  private window = 262144;
  private kept: Uint8Array[] = [];
  private keptFrom = 0;
  private sent = 0;
  private attempts = 0;
  private greeted = false;
  private answered = false;
  private end: { why: string; code: number | null } | null = null;
  private stopTimer: () => void = () => {};
  private stopPing: () => void = () => {};

  constructor(
    private readonly origin: string,
    private readonly where: { session: string; client: string; readonly: boolean; command: string },
    private readonly screen: Screen,
    private readonly around: Surroundings,
  ) {}

  connect(): void {
    this.stopTimer();
    this.drop();
    this.set({ kind: 'connecting' });
    this.greeted = false;
    const url = address(this.origin, { ...this.where, ...this.screen.size(), epoch: this.epoch, offset: this.offset });
    const socket = this.around.socket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event) => {
      if (socket === this.socket) this.received(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code, event.reason);
    };
    this.socket = socket;
  }

  /** Try again at once, where a wait is on. */
  hurry(): void {
    if (this.state.kind === 'waiting') this.connect();
  }

  input(data: Uint8Array): void {
    if (this.where.readonly || this.state.kind === 'ended' || data.length === 0) return;
    this.kept.push(data);
    this.sendKept();
  }

  resized(): void {
    if (this.state.kind === 'open') this.say({ type: 'resize', ...this.screen.size() });
  }

  kill(): void {
    this.say({ type: 'kill' });
  }

  private received(data: unknown): void {
    if (typeof data !== 'string') return this.output(new Uint8Array(data as ArrayBuffer));
    const message = decode(data);
    if (message !== null) this.told(message);
  }

  private told(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        return this.hello(message);
      case 'resync':
        return this.drawAnew(message.offset, message.snapshot);
      case 'size':
        return this.screen.resize(message.rows, message.cols);
      case 'ack':
        return this.forget(message.input_offset);
      case 'viewers':
        this.viewers = message.count;
        return this.onchange();
      case 'exit':
        this.end = {
          why: message.signal === null ? `exited with status ${message.code ?? 'unknown'}` : `ended by signal ${message.signal}`,
          code: message.code,
        };
        return;
      case 'closing':
        this.end = { why: CLOSED[message.reason] ?? message.detail, code: null };
        return;
      case 'pong':
        this.answered = true;
        this.roundTrip = this.around.now() - Number(message.id);
        return this.onchange();
    }
  }

  private hello(message: Extract<ServerMessage, { type: 'hello' }>): void {
    this.greeted = true;
    this.attempts = 0;
    this.window = Math.max(message.window, 4);
    if (message.epoch !== this.epoch) {
      // Another shell: what was typed into the one before must not go to this one.
      if (this.epoch !== null) this.kept = [];
      this.keptFrom = message.input_offset;
    } else {
      this.forget(message.input_offset);
    }
    const continued = message.epoch === this.epoch && message.snapshot === 0 && message.offset === this.offset;
    this.epoch = message.epoch;
    this.sent = this.keptFrom;
    if (!continued) this.drawAnew(message.offset, message.snapshot);
    this.acknowledged = Math.min(this.acknowledged, message.offset);
    this.screen.resize(message.rows, message.cols);
    this.set({ kind: 'open', readonly: message.readonly });
    this.ping();
    this.sendKept();
  }

  private drawAnew(offset: number, picture: number): void {
    this.screen.reset();
    this.picture = picture;
    this.offset = this.processed = this.acknowledged = offset;
  }

  private output(data: Uint8Array): void {
    const drawn = Math.min(this.picture, data.length);
    this.picture -= drawn;
    this.offset += data.length - drawn;
    const reached = this.offset;
    const epoch = this.epoch;
    this.screen.write(data, () => {
      if (epoch !== this.epoch || reached < this.processed) return;
      this.processed = reached;
      if (this.state.kind === 'open' && this.processed - this.acknowledged >= this.window / 4) {
        this.acknowledged = this.processed;
        this.say({ type: 'ack', offset: this.processed });
      }
    });
  }

  private sendKept(): void {
    if (this.state.kind !== 'open') return;
    let at = this.keptFrom;
    for (const part of this.kept) {
      const end = at + part.length;
      if (end > this.sent) {
        const until = Math.min(end, this.keptFrom + this.window);
        if (until <= this.sent) return;
        this.socket?.send(part.subarray(this.sent - at, until - at));
        this.sent = until;
      }
      at = end;
    }
  }

  private forget(offset: number): void {
    while (this.kept.length > 0 && this.keptFrom < offset) {
      const first = this.kept[0] as Uint8Array;
      const known = Math.min(offset - this.keptFrom, first.length);
      this.keptFrom += known;
      if (known === first.length) this.kept.shift();
      else this.kept[0] = first.subarray(known);
    }
    this.keptFrom = Math.max(this.keptFrom, offset);
    this.sent = Math.max(this.sent, this.keptFrom);
    this.sendKept();
  }

  /** Measures the round trip, and notices a connection that is dead without having closed. */
  private ping(): void {
    this.stopPing();
    const socket = this.socket;
    this.answered = false;
    this.say({ type: 'ping', id: this.around.now() });
    this.stopPing = this.around.later(PING_EVERY, () => {
      if (this.answered) return this.ping();
      if (socket === this.socket) {
        this.drop();
        this.closed(1006, 'no answer from the server');
      }
    });
  }

  private closed(code: number, reason: string): void {
    this.stopPing();
    this.socket = null;
    if (this.end !== null) return this.set({ kind: 'ended', ...this.end, refused: false });
    if (!RECONNECT.has(code)) {
      return this.set({ kind: 'ended', why: reason || `closed with code ${code}`, code: null, refused: false });
    }
    if (!this.greeted && this.epoch === null && this.attempts >= 2) {
      return this.set({ kind: 'ended', why: reason || 'the server can’t be reached', code: null, refused: true });
    }
    // Full jitter: a thousand pages that lost one server don't come back at the same moment.
    const wait = this.around.random() * Math.min(FIRST_WAIT * 2 ** this.attempts, LONGEST_WAIT);
    this.attempts += 1;
    this.set({ kind: 'waiting', seconds: wait / 1000, why: reason || 'connection lost' });
    this.stopTimer = this.around.later(wait, () => this.connect());
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.stopPing();
    socket?.close();
  }

  private say(message: ClientMessage): void {
    if (this.socket !== null && this.socket.readyState === 1) this.socket.send(encode(message));
  }

  private set(state: State): void {
    this.state = state;
    this.onchange();
  }
}

const CLOSED: Record<string, string> = {
  timeout: 'nobody was attached for too long',
  killed: 'killed',
  shutdown: 'the server was shut down',
};
