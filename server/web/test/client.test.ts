import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Client, type Screen, type Socket } from '../src/client.ts';
import { address, decode } from '../src/protocol.ts';

class FakeSocket implements Socket {
  binaryType = '';
  readyState = 1;
  onopen = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  sent: (string | Uint8Array)[] = [];
  constructor(readonly url: string) {}
  send(data: string | Uint8Array): void { this.sent.push(data); }
  close(): void { this.readyState = 3; }
  tell(message: object): void { this.onmessage?.({ data: JSON.stringify(message) }); }
  output(text: string): void { this.onmessage?.({ data: new TextEncoder().encode(text).buffer }); }
  drop(code = 1006, reason = ''): void { this.readyState = 3; this.onclose?.({ code, reason }); }
  get typed(): string { return this.sent.filter((part) => typeof part !== 'string').map((part) => new TextDecoder().decode(part as Uint8Array)).join(''); }
  said(type: string): Record<string, unknown>[] {
    return this.sent.filter((part) => typeof part === 'string').map((part) => JSON.parse(part as string)).filter((m) => m.type === type);
  }
}

class FakeScreen implements Screen {
  text = '';
  shape = { rows: 24, cols: 80 };
  resets = 0;
  pending: (() => void)[] = [];
  size() { return { rows: 30, cols: 100 }; }
  reset(): void { this.text = ''; this.resets++; }
  resize(rows: number, cols: number): void { this.shape = { rows, cols }; }
  write(data: Uint8Array, done: () => void): void { this.text += new TextDecoder().decode(data); this.pending.push(done); }
  processed(): void { for (const done of this.pending.splice(0)) done(); }
}

let sockets: FakeSocket[], timers: { at: number; act: () => void }[], screen: FakeScreen, client: Client;
const socket = () => sockets.at(-1) as FakeSocket;
const bytes = (text: string) => new TextEncoder().encode(text);
const hello = (more = {}) => ({
  type: 'hello', session: 's', epoch: 'e1', backend: 'buffered', created: 0, rows: 24, cols: 80, readonly: false,
  offset: 0, snapshot: 0, input_offset: 0, window: 100, ...more,
});
function fire(): void { for (const timer of timers.splice(0)) timer.act(); }

beforeEach(() => {
  sockets = []; timers = []; screen = new FakeScreen();
  client = new Client('ws://h', { session: 's', client: 'c', readonly: false, command: '' }, screen, {
    socket: (url) => { sockets.push(new FakeSocket(url)); return socket(); },
    later: (at, act) => { const timer = { at, act }; timers.push(timer); return () => { timers = timers.filter((t) => t !== timer); }; },
    now: () => 5, random: () => 0.5,
  });
  client.connect();
});

test('the first address has the size and no offset', () => {
  assert.equal(socket().url, 'ws://h/pty?reconnect=s&width=100&height=30&client=c');
});

test('a command goes into the address of a first connection only', () => {
  const where = { session: 's', client: 'c', rows: 1, cols: 2, readonly: true, command: 'top' };
  assert.match(address('ws://h', { ...where, epoch: null, offset: 0 }), /command=top&readonly=1/);
  assert.doesNotMatch(address('ws://h', { ...where, epoch: 'e', offset: 7 }), /command/);
});

test('output is drawn, and acknowledged once the terminal has processed a quarter of the window', () => {
  socket().tell(hello());
  socket().output('x'.repeat(30));
  assert.equal(socket().said('ack').length, 0);
  screen.processed();
  assert.deepEqual(socket().said('ack'), [{ type: 'ack', offset: 30 }]);
});

test('a reconnect goes on at its offset without touching the terminal', () => {
  socket().tell(hello());
  socket().output('abc');
  const resets = screen.resets;
  socket().drop();
  assert.equal(client.state.kind, 'waiting');
  fire();
  assert.match(socket().url, /epoch=e1&offset=3/);
  socket().tell(hello({ offset: 3 }));
  socket().output('def');
  assert.equal(screen.text, 'abcdef');
  assert.equal(screen.resets, resets);
});

test('a picture resets the terminal and counts towards no offset', () => {
  socket().tell(hello({ offset: 1000, snapshot: 4 }));
  socket().output('pictlive');
  assert.equal(client.offset, 1004);
  socket().tell({ type: 'resync', offset: 5000, snapshot: 2 });
  socket().output('P');
  socket().output('Qx');
  assert.equal(screen.text, 'PQx');
  assert.equal(client.offset, 5001);
});

test('input is sent again from where the session has it, and only that', () => {
  socket().tell(hello());
  client.input(bytes('one'));
  client.input(bytes('two'));
  assert.equal(socket().typed, 'onetwo');
  socket().drop();
  client.input(bytes('three'));
  fire();
  socket().tell(hello({ input_offset: 4 }));
  assert.equal(socket().typed, 'wothree');
  socket().tell({ type: 'ack', input_offset: 11 });
  socket().drop();
  fire();
  socket().tell(hello({ input_offset: 11 }));
  assert.equal(socket().typed, '');
});

test('input of another shell is not sent to this one', () => {
  socket().tell(hello());
  client.input(bytes('rm x'));
  socket().drop();
  fire();
  socket().tell(hello({ epoch: 'e2', input_offset: 0 }));
  assert.equal(socket().typed, '');
});

test('no more than a window of input is unacknowledged', () => {
  socket().tell(hello());
  client.input(bytes('i'.repeat(150)));
  assert.equal(socket().typed.length, 100);
  socket().tell({ type: 'ack', input_offset: 60 });
  assert.equal(socket().typed.length, 150);
});

test('an exit is told with its status, and nothing reconnects', () => {
  socket().tell(hello());
  socket().tell({ type: 'exit', code: 3, signal: null });
  socket().drop(1000);
  assert.deepEqual(client.state, { kind: 'ended', why: 'exited with status 3', code: 3, refused: false });
  fire();
  assert.equal(sockets.length, 1);
});

test('each reason for closing is told as what it is', () => {
  for (const [reason, why] of [['timeout', 'nobody was attached for too long'], ['killed', 'killed'], ['shutdown', 'the server was shut down'], ['error', 'it broke']]) {
    client.connect();
    socket().tell(hello());
    socket().tell({ type: 'closing', reason, detail: 'it broke' });
    socket().drop(4000);
    assert.deepEqual(client.state, { kind: 'ended', why, code: null, refused: false });
  }
});

test('it comes back after 1001, 1006, 1011 and 1012 alone', () => {
  for (const [code, kind] of [[1001, 'waiting'], [1006, 'waiting'], [1011, 'waiting'], [1012, 'waiting'], [1000, 'ended'], [1008, 'ended'], [4004, 'ended']] as const) {
    client.connect();
    socket().tell(hello());
    socket().drop(code, 'why');
    assert.equal(client.state.kind, kind, String(code));
  }
});

test('waits grow, with full jitter, up to half a minute, and a hurry ends them', () => {
  socket().tell(hello());
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    socket().drop();
    waits.push(timers[0]?.at ?? -1);
    fire();
  }
  assert.deepEqual(waits.slice(0, 3), [125, 250, 500]);
  assert.equal(waits.at(-1), 15000);
  socket().drop();
  const count = sockets.length;
  client.hurry();
  assert.equal(sockets.length, count + 1);
});

test('size, viewers and pong are taken', () => {
  socket().tell(hello({ rows: 40, cols: 120 }));
  assert.deepEqual(screen.shape, { rows: 40, cols: 120 });
  socket().tell({ type: 'size', rows: 10, cols: 20 });
  assert.deepEqual(screen.shape, { rows: 10, cols: 20 });
  socket().tell({ type: 'viewers', count: 3 });
  assert.equal(client.viewers, 3);
  socket().tell({ type: 'pong', id: 2 });
  assert.equal(client.roundTrip, 3);
});

test('a resize and a kill are said', () => {
  socket().tell(hello());
  client.resized();
  client.kill();
  assert.deepEqual(socket().said('resize'), [{ type: 'resize', rows: 30, cols: 100 }]);
  assert.deepEqual(socket().said('kill'), [{ type: 'kill' }]);
});

test('a ping without an answer is a lost connection', () => {
  socket().tell(hello());
  fire();
  assert.equal(client.state.kind, 'waiting');
});

test('messages of a later protocol are passed over', () => {
  assert.equal(decode('{"type":"later"}'), null);
  socket().tell({ type: 'later' });
  socket().tell(hello());
  assert.equal(client.state.kind, 'open');
});
