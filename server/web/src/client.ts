// One client of one session, over as many connections as it takes. It knows no DOM and no terminal: it is given a way
// to make sockets, a clock, and a screen to draw on.
//
// Output goes on at its epoch and offset, so that nothing of a reconnect is seen; input is kept until the session has
// it. A session that has ended stays ended: nothing here ever starts another one by itself.

import { InputQueue } from './input.ts';
import {
  SUBPROTOCOL, address, comesBack, decode, encode, type ClientMessage, type Hello, type Identity, type Position,
  type ServerMessage, type Size,
} from './protocol.ts';

export interface Socket {
  binaryType: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number): void;
}

/** Why a connection came to nothing before its first message: a browser doesn't tell what an upgrade was answered. */
export type Diagnosis = { kind: 'unauthorized' } | { kind: 'unreachable' } | { kind: 'refused'; reason: string };

export interface Surroundings {
  socket(url: string, protocol: string): Socket;
  /** `url` is the address that could not be connected to. */
  diagnose(url: string): Promise<Diagnosis>;
  /** Act once, after some milliseconds; what is returned prevents it. */
  later(milliseconds: number, act: () => void): () => void;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
}

/** What is asked of it happens after everything asked before, in order. */
export interface Screen {
  /** The size that fits the window, whatever the terminal's own is. */
  size(): Size;
  resize(size: Size): void;
  /** Throw away what is shown, and draw a picture of that size instead. */
  draw(size: Size, picture: Uint8Array): void;
  /** `done` is called when the terminal has processed the bytes. */
  write(data: Uint8Array, done: () => void): void;
}

export type End =
  | { cause: 'exit'; code: number | null; signal: number | null }
  | { cause: 'closing'; reason: string; detail: string }
  | { cause: 'closed'; code: number; reason: string }
  | { cause: 'refused'; reason: string };

export type State =
  | { kind: 'connecting' }
  | { kind: 'open'; readonly: boolean }
  /** `until` is by the clock of the surroundings; `reason` is the server's, or empty. */
  | { kind: 'waiting'; until: number; reason: string }
  /** The server wants a login first. */
  | { kind: 'locked' }
  | { kind: 'ended'; end: End };

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;
/** A connection that lasted this long was a good one: the next wait is the shortest again. */
const STEADY = 5_000;
/** Attempts to get at a session for the first time, where the server does answer but refuses. */
const FIRST_ATTEMPTS = 3;
const HELLO_WITHIN = 10_000;
/** The first round trips are measured while the page is still busy with itself, so more follow soon. */
const PING_SOON = 1_000;
const PING_EVERY = 15_000;
/** The shortest of this many is shown: the others say how busy the page was, not how far the server is. */
const TRIPS = 4;
const PONG_WITHIN = 10_000;
/** After a wake-up somebody sits in front of it and waits. */
const PONG_WITHIN_AFTER_WAKING = 4_000;
/** A piece of output small enough that its acknowledgement is not late. */
const PIECE = 32 << 10;
/** When no more comes, the last of it is acknowledged, too: only then may the terminal answer what programs ask it. */
const ACK_WITHIN = 50;
const ABNORMAL = 1006;
const BAD_DATA = 1007;

/** A picture on its way; `offset` is that of the byte after it. */
interface Picture {
  offset: number;
  missing: number;
  parts: Uint8Array[];
}

const nothing = (): void => {};

export class Client {
  state: State = { kind: 'connecting' };
  viewers = 0;
  /** Milliseconds; null while it is not known. */
  roundTrip: number | null = null;
  /** Called after any of the above has changed. */
  onchange: () => void = nothing;

  private socket: Socket | null = null;
  private stopTimer: () => void = nothing;
  private stopAck: () => void = nothing;
  private ackWaits = false;
  private attempts = 0;
  private connections = 0;
  private openedAt: number | null = null;
  private pings = 0;
  private trips: number[] = [];

  private at: Position | null = null;
  private size: Size = { rows: 0, cols: 0 };
  private told: Size = { rows: 0, cols: 0 };
  private window = 0;
  private picture: Picture | null = null;
  private drawings = 0;
  private acknowledged = 0;
  private drawn = 0;
  private readonly typed = new InputQueue();

  constructor(
    private readonly origin: string,
    private readonly who: Identity,
    private readonly screen: Screen,
    private readonly around: Surroundings,
  ) {}

  get epoch(): string | null {
    return this.at?.epoch ?? null;
  }

  /** How much output has been received. */
  get offset(): number {
    return this.at?.offset ?? 0;
  }

  private get address(): string {
    return address(this.origin, this.who, this.told, this.at, this.connections);
  }

  /** Connect now, in whatever state. */
  connect(): void {
    this.leave();
    this.told = this.screen.size();
    this.connections += 1;
    const socket = this.around.socket(this.address, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = (event) => this.closed(event.code, event.reason);
    this.socket = socket;
    this.stopTimer = this.around.later(HELLO_WITHIN, () => this.broken());
    this.set({ kind: 'connecting' });
  }

  /** The device woke up, or the network came back, or somebody looks: find out at once how things stand. */
  wake(): void {
    if (this.state.kind === 'waiting') this.connect();
    else if (this.state.kind === 'open') this.ping(PONG_WITHIN_AFTER_WAKING);
  }

  /** Let go of the connection, until a wake. */
  suspend(): void {
    if (this.state.kind === 'ended') return;
    this.leave();
    this.set({ kind: 'waiting', until: Infinity, reason: '' });
  }

  /** Send input, now or when there is a connection again. */
  input(data: Uint8Array): void {
    if (this.who.readonly || this.state.kind === 'ended') return;
    this.typed.push(data);
    this.sendTyped();
  }

  /** The window has another size. */
  resized(): void {
    const size = this.screen.size();
    if (this.state.kind !== 'open' || (size.rows === this.told.rows && size.cols === this.told.cols)) return;
    this.told = size;
    this.say({ type: 'resize', rows: size.rows, cols: size.cols });
  }

  /** End the session, for everybody. */
  kill(): void {
    if (this.state.kind === 'open') this.say({ type: 'kill' });
  }

  // What comes from the server

  private received(data: unknown): void {
    if (typeof data !== 'string') {
      this.output(new Uint8Array(data as ArrayBuffer));
      return;
    }
    let message;
    try {
      message = decode(data);
    } catch (error) {
      this.finish({ cause: 'closed', code: BAD_DATA, reason: (error as Error).message });
      return;
    }
    if (message !== null) this.obey(message);
  }

  private obey(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        return this.greeted(message);
      case 'resync':
        return this.drawAnew(message.offset, message.snapshot);
      case 'size':
        this.size = { rows: message.rows, cols: message.cols };
        return this.screen.resize(this.size);
      case 'ack':
        this.typed.acknowledge(message.input_offset);
        return this.sendTyped();
      case 'viewers':
        this.viewers = message.count;
        return this.onchange();
      case 'exit':
        return this.finish({ cause: 'exit', code: message.code, signal: message.signal });
      case 'closing':
        return this.finish({ cause: 'closing', reason: message.reason, detail: message.detail });
      case 'pong':
        return this.answered(message.id);
    }
  }

  private greeted(hello: Hello): void {
    const before = this.at;
    this.openedAt = this.around.now();
    this.window = Math.max(hello.window, 1);
    this.size = { rows: hello.rows, cols: hello.cols };
    if (before === null) this.typed.begin(hello.input_offset);
    else if (before.epoch === hello.epoch) this.typed.resume(hello.input_offset);
    else this.typed.restart(hello.input_offset);
    this.at = { epoch: hello.epoch, offset: before?.offset ?? null };
    this.state = { kind: 'open', readonly: hello.readonly };
    if (before?.epoch === hello.epoch && before.offset === hello.offset && hello.snapshot === 0) {
      this.acknowledged = hello.offset;
      this.screen.resize(this.size);
    } else {
      this.drawAnew(hello.offset, hello.snapshot);
    }
    this.onchange();
    this.resized();
    this.sendTyped();
    this.ping(PONG_WITHIN);
  }

  /** The next `length` bytes are a picture. Until all of it is here, what the terminal holds belongs to no offset. */
  private drawAnew(offset: number, length: number): void {
    if (this.at === null) return;
    this.drawings += 1;
    this.acknowledged = this.drawn = offset;
    this.picture = null;
    if (length === 0) {
      this.at.offset = offset;
      this.screen.draw(this.size, new Uint8Array());
    } else {
      this.at.offset = null;
      this.picture = { offset, missing: length, parts: [] };
    }
  }

  private output(data: Uint8Array): void {
    if (this.at === null) return;
    const live = this.picture === null ? data : this.collect(this.picture, data);
    const piece = Math.max(1, Math.min(PIECE, this.window >> 3));
    for (let from = 0; from < live.length; from += piece) this.write(live.subarray(from, from + piece));
  }

  /** Take what belongs to the picture, draw it once it is whole, and leave the rest. */
  private collect(picture: Picture, data: Uint8Array): Uint8Array {
    const part = data.subarray(0, picture.missing);
    picture.parts.push(part);
    picture.missing -= part.length;
    if (picture.missing === 0 && this.at !== null) {
      this.picture = null;
      this.at.offset = picture.offset;
      this.screen.draw(this.size, joined(picture.parts));
    }
    return data.subarray(part.length);
  }

  private write(data: Uint8Array): void {
    if (this.at === null) return;
    const reached = (this.at.offset ?? 0) + data.length;
    const drawing = this.drawings;
    this.at.offset = reached;
    this.screen.write(data, () => {
      if (drawing === this.drawings) this.processed(reached);
    });
  }

  private processed(offset: number): void {
    this.drawn = offset;
    if (offset - this.acknowledged >= this.window / 4) {
      this.acknowledge();
    } else if (!this.ackWaits) {
      this.ackWaits = true;
      this.stopAck = this.around.later(ACK_WITHIN, () => this.acknowledge());
    }
  }

  private acknowledge(): void {
    this.stopAck();
    this.ackWaits = false;
    if (this.state.kind !== 'open' || this.drawn <= this.acknowledged) return;
    this.acknowledged = this.drawn;
    this.say({ type: 'ack', offset: this.drawn });
  }

  // What goes to the server

  private sendTyped(): void {
    if (this.state.kind !== 'open' || this.state.readonly) return;
    for (const data of this.typed.take(this.window)) this.socket?.send(data);
  }

  private say(message: ClientMessage): void {
    this.socket?.send(encode(message));
  }

  /** Measures the round trip, and finds out about a connection that is dead and was never closed. */
  private ping(within: number): void {
    this.stopTimer();
    this.pings += 1;
    this.say({ type: 'ping', id: `${this.pings} ${this.around.now()}` });
    this.stopTimer = this.around.later(within, () => this.broken());
  }

  private answered(id: number | string): void {
    const [number, sentAt] = String(id).split(' ').map(Number);
    if (number !== this.pings || sentAt === undefined) return;
    this.trips = [...this.trips.slice(1 - TRIPS), this.around.now() - sentAt];
    this.roundTrip = Math.min(...this.trips);
    this.stopTimer();
    const pause = this.trips.length < TRIPS ? PING_SOON : PING_EVERY;
    this.stopTimer = this.around.later(pause, () => this.ping(PONG_WITHIN));
    this.onchange();
  }

  // The end of a connection

  private broken(): void {
    this.leave();
    this.closed(ABNORMAL, '');
  }

  private closed(code: number, reason: string): void {
    const greeted = this.state.kind === 'open';
    this.leave();
    if (!comesBack(code)) this.finish({ cause: 'closed', code, reason });
    else if (greeted) this.wait(reason);
    else if (code === ABNORMAL) this.findOut();
    else if (this.hopeless) this.finish({ cause: 'closed', code, reason });
    else this.wait(reason);
  }

  private findOut(): void {
    const { state } = this;
    void this.around.diagnose(this.address).then((diagnosis) => {
      if (this.state !== state) return; // somebody connected meanwhile
      if (diagnosis.kind === 'unauthorized') this.set({ kind: 'locked' });
      else if (diagnosis.kind === 'refused' && this.hopeless) this.finish({ cause: 'refused', reason: diagnosis.reason });
      else this.wait(diagnosis.kind === 'refused' ? diagnosis.reason : '');
    });
  }

  private finish(end: End): void {
    this.leave();
    this.set({ kind: 'ended', end });
  }

  /** A server that refuses a session which this page has never seen will go on refusing it. */
  private get hopeless(): boolean {
    return this.at === null && this.attempts + 1 >= FIRST_ATTEMPTS;
  }

  private wait(reason: string): void {
    if (this.openedAt !== null && this.around.now() - this.openedAt >= STEADY) this.attempts = 0;
    this.openedAt = null;
    // Full jitter: a thousand pages that lost one server don't come back at the same moment.
    const delay = this.around.random() * Math.min(FIRST_WAIT * 2 ** this.attempts, LONGEST_WAIT);
    this.attempts += 1;
    this.stopTimer = this.around.later(delay, () => this.connect());
    this.set({ kind: 'waiting', until: this.around.now() + delay, reason });
  }

  /** Have nothing to do with the connection any more; what is drawn and typed stays. */
  private leave(): void {
    this.stopAck();
    this.ackWaits = false;
    this.stopTimer();
    this.stopTimer = nothing;
    const { socket } = this;
    this.socket = null;
    this.roundTrip = null;
    this.trips = [];
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private set(state: State): void {
    this.state = state;
    this.onchange();
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
