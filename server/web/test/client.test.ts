import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './fakes.ts';

// Connecting

test('the first connection tells the size before the first byte, and no position', () => {
  const { query, socket } = new Bench();
  assert.deepEqual(query, { reconnect: 's', client: 'c', width: '100', height: '30', attempt: '1' });
  assert.equal(socket.protocol, 'reconnectingpty.v1');
  assert.equal(socket.binaryType, 'arraybuffer');
});

test('a command goes along until there is a session, and never after', () => {
  const bench = new Bench({ command: 'top' });
  bench.reconnect();
  assert.equal(bench.query['command'], 'top');
  bench.hello();
  bench.reconnect();
  assert.equal(bench.query['command'], undefined);
});

test('a server that does not greet is given up on', () => {
  const bench = new Bench();
  bench.clock.pass(10_000);
  assert.ok(bench.socket.closed);
});

// Output

test('output is drawn as it comes', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.output('abc');
  bench.socket.output('def');
  assert.equal(bench.screen.text, 'abcdef');
  assert.equal(bench.client.offset, 6);
});

test('output is acknowledged once the terminal has processed a quarter of the window', () => {
  const bench = new Bench();
  bench.hello({ offset: 1000, snapshot: 0 });
  bench.socket.output('x'.repeat(24));
  bench.screen.process();
  assert.deepEqual(bench.socket.said('ack'), []);
  bench.socket.output('x');
  assert.deepEqual(bench.socket.said('ack'), []);
  bench.screen.process();
  assert.deepEqual(bench.socket.said('ack'), [{ type: 'ack', offset: 1025 }]);
});

test('what is left when no more comes is acknowledged a moment later, once', () => {
  const bench = new Bench();
  bench.hello({ offset: 1000 });
  for (const text of ['x', 'y', 'z']) {
    bench.socket.output(text);
    bench.screen.process();
  }
  assert.deepEqual(bench.socket.said('ack'), []);
  bench.clock.pass(50);
  assert.deepEqual(bench.socket.said('ack'), [{ type: 'ack', offset: 1003 }]);
  bench.clock.pass(1000);
  assert.equal(bench.socket.said('ack').length, 1);
});

test('a frame as big as the window is acknowledged on the way, each quarter of it', () => {
  const bench = new Bench();
  bench.hello({ window: 1000 });
  bench.socket.output('x'.repeat(1000));
  bench.screen.process();
  const offsets = bench.socket.said('ack').map((message) => message['offset'] as number);
  assert.equal(offsets.length, 4);
  assert.ok(offsets.every((offset, i) => offset - (offsets[i - 1] ?? 0) < 1000 / 4 + 1000 / 8));
});

test('a reconnect goes on at its offset without touching the terminal', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.output('abc');
  const { pictures } = bench.screen;
  bench.reconnect();
  assert.deepEqual([bench.query['epoch'], bench.query['offset'], bench.query['attempt']], ['e1', '3', '2']);
  bench.hello({ offset: 3 });
  bench.socket.output('def');
  assert.equal(bench.screen.text, 'abcdef');
  assert.equal(bench.screen.pictures, pictures);
});

test('what was processed before a reconnect is not acknowledged as if it were new', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.output('x'.repeat(80));
  bench.reconnect();
  bench.hello({ offset: 80 });
  bench.screen.process();
  assert.deepEqual(bench.socket.said('ack'), []);
  bench.socket.output('x'.repeat(25));
  bench.screen.process();
  assert.deepEqual(bench.socket.said('ack'), [{ type: 'ack', offset: 105 }]);
});

test('a picture replaces what is shown and counts towards no offset', () => {
  const bench = new Bench();
  bench.hello({ offset: 1000, snapshot: 4, rows: 10, cols: 20 });
  assert.equal(bench.screen.pictures, 0);
  bench.socket.output('pi');
  bench.socket.output('ctlive');
  assert.equal(bench.screen.text, 'pictlive');
  assert.equal(bench.client.offset, 1004);
  assert.deepEqual(bench.screen.shown, { rows: 10, cols: 20 });
});

test('a connection cut in the middle of a picture asks for another picture', () => {
  const bench = new Bench();
  bench.hello({ offset: 1000, snapshot: 4 });
  bench.socket.output('pi');
  bench.reconnect();
  assert.deepEqual([bench.query['epoch'], bench.query['offset']], ['e1', undefined]);
  bench.hello({ offset: 1500, snapshot: 3 });
  bench.socket.output('PICx');
  assert.equal(bench.screen.text, 'PICx');
  assert.equal(bench.client.offset, 1501);
});

test('a resync draws a new picture and goes on from its offset', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.output('x'.repeat(20));
  bench.socket.tell({ type: 'size', rows: 11, cols: 22 });
  bench.socket.tell({ type: 'resync', offset: 5000, snapshot: 2 });
  bench.socket.output('PQ');
  bench.socket.output('y'.repeat(25));
  bench.screen.process();
  assert.equal(bench.screen.text, `PQ${'y'.repeat(25)}`);
  assert.deepEqual(bench.screen.shown, { rows: 11, cols: 22 });
  assert.deepEqual(bench.socket.said('ack'), [{ type: 'ack', offset: 5025 }]);
});

test('a reconnect takes the size that the terminal has got meanwhile', () => {
  const bench = new Bench();
  bench.hello();
  bench.reconnect();
  bench.hello({ rows: 12, cols: 34 });
  assert.deepEqual(bench.screen.shown, { rows: 12, cols: 34 });
});

test('a greeting that does not continue where this client was starts the terminal anew', () => {
  for (const [offset, snapshot, left] of [[9, 0, ''], [3, 4, 'PICT']] as const) {
    const bench = new Bench();
    bench.hello();
    bench.socket.output('abc');
    bench.reconnect();
    bench.hello({ offset, snapshot });
    bench.socket.output('PICT'.slice(0, snapshot));
    assert.equal(bench.screen.text, left);
    assert.equal(bench.client.offset, offset);
  }
});

test('another run of the session is drawn from its beginning', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.output('old'.repeat(30));
  bench.reconnect();
  bench.hello({ epoch: 'e2' });
  bench.socket.output('new');
  bench.screen.process();
  assert.deepEqual(bench.socket.said('ack'), []); // what was processed is the old run's
  assert.equal(bench.screen.text, 'new');
  assert.equal(bench.client.epoch, 'e2');
  assert.equal(bench.client.offset, 3);
});

// Input

test('input waits for the greeting, and is then sent', () => {
  const bench = new Bench();
  bench.type('ls\r');
  assert.equal(bench.socket.typed, '');
  bench.hello();
  assert.equal(bench.socket.typed, 'ls\r');
});

test('input is sent again from where the session has it, and only that', () => {
  const bench = new Bench();
  bench.hello();
  bench.type('one');
  bench.type('two');
  bench.socket.drop();
  bench.type('three');
  bench.client.connect();
  bench.hello({ input_offset: 4 });
  assert.equal(bench.socket.typed, 'wothree');
  bench.socket.tell({ type: 'ack', input_offset: 11 });
  bench.reconnect();
  bench.hello({ input_offset: 11 });
  assert.equal(bench.socket.typed, '');
});

test('input of another shell is not sent to this one', () => {
  const bench = new Bench();
  bench.hello();
  bench.type('rm x');
  bench.reconnect();
  bench.hello({ epoch: 'e2' });
  assert.equal(bench.socket.typed, '');
});

test('no more than a window of input is unacknowledged', () => {
  const bench = new Bench();
  bench.hello();
  bench.type('i'.repeat(150));
  assert.equal(bench.socket.typed.length, 100);
  bench.socket.tell({ type: 'ack', input_offset: 60 });
  assert.equal(bench.socket.typed.length, 150);
});

test('a read-only client sends no input, whoever made it so', () => {
  for (const [asked, told] of [[true, true], [false, true], [true, false]] as const) {
    const bench = new Bench({ readonly: asked });
    bench.type('x');
    bench.hello({ readonly: told });
    bench.type('y');
    assert.equal(bench.socket.typed, '');
    assert.deepEqual(bench.client.state, { kind: 'open', readonly: told });
  }
});

// Size, viewers, round trip

test('the terminal takes the size that the server tells', () => {
  const bench = new Bench();
  bench.hello({ rows: 40, cols: 120 });
  assert.deepEqual(bench.screen.shown, { rows: 40, cols: 120 });
  bench.socket.tell({ type: 'size', rows: 10, cols: 20 });
  assert.deepEqual(bench.screen.shown, { rows: 10, cols: 20 });
});

test('a window that changes tells its size, once', () => {
  const bench = new Bench();
  bench.hello();
  bench.client.resized();
  assert.deepEqual(bench.socket.said('resize'), []);
  bench.screen.fitting = { rows: 31, cols: 100 };
  bench.client.resized();
  bench.client.resized();
  assert.deepEqual(bench.socket.said('resize'), [{ type: 'resize', rows: 31, cols: 100 }]);
});

test('a window that changed while connecting tells its size after the greeting', () => {
  const bench = new Bench();
  bench.screen.fitting = { rows: 50, cols: 60 };
  bench.client.resized();
  bench.hello();
  assert.deepEqual(bench.socket.said('resize'), [{ type: 'resize', rows: 50, cols: 60 }]);
});

test('viewers are counted', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.tell({ type: 'viewers', count: 3 });
  assert.equal(bench.client.viewers, 3);
});

test('the round trip is the shortest of the latest', () => {
  const bench = new Bench();
  bench.hello();
  const answer = (after: number) => {
    bench.clock.pass(after);
    bench.socket.tell({ type: 'pong', id: bench.socket.said('ping').at(-1)?.['id'] });
  };
  answer(30);
  assert.equal(bench.client.roundTrip, 30);
  bench.clock.pass(1000);
  answer(4);
  bench.clock.pass(1000);
  answer(9);
  assert.equal(bench.client.roundTrip, 4);
});

test('a pong that nobody waits for is passed over', () => {
  const bench = new Bench();
  bench.hello();
  for (const id of [7, 'x', '99 0']) bench.socket.tell({ type: 'pong', id });
  assert.equal(bench.client.roundTrip, null);
});

test('a kill is asked for', () => {
  const bench = new Bench();
  bench.client.kill();
  bench.hello();
  bench.client.kill();
  assert.deepEqual(bench.socket.said('kill'), [{ type: 'kill' }]);
});

// Ends

test('an exit is told with its status, and nothing reconnects', () => {
  for (const [code, signal] of [[3, null], [null, 9]]) {
    const bench = new Bench();
    bench.hello();
    const { socket } = bench;
    socket.tell({ type: 'exit', code, signal });
    socket.drop(1000);
    bench.clock.pass(120_000);
    bench.client.wake();
    bench.type('x');
    assert.deepEqual(bench.client.state, { kind: 'ended', end: { cause: 'exit', code, signal } });
    assert.equal(bench.sockets.length, 1);
  }
});

test('a session that was ended is told with its reason, and nothing reconnects, whatever the close code', () => {
  for (const [reason, code] of [['timeout', 4000], ['killed', 4001], ['shutdown', 1001], ['error', 1011]] as const) {
    const bench = new Bench();
    bench.hello();
    bench.socket.tell({ type: 'closing', reason, detail: 'so' });
    bench.socket.drop(code);
    bench.clock.pass(120_000);
    assert.deepEqual(bench.client.state, { kind: 'ended', end: { cause: 'closing', reason, detail: 'so' } });
    assert.equal(bench.sockets.length, 1);
  }
});

test('other close codes end it, with the reason that the server gave', () => {
  for (const code of [1000, 1003, 1007, 1008, 1009, 4000, 4001, 4004]) {
    const bench = new Bench();
    bench.hello();
    bench.socket.drop(code, 'because');
    bench.clock.pass(120_000);
    assert.deepEqual(bench.client.state, { kind: 'ended', end: { cause: 'closed', code, reason: 'because' } });
    assert.equal(bench.sockets.length, 1);
  }
});

test('a server that breaks the protocol is left', () => {
  const bench = new Bench();
  bench.hello();
  const { socket } = bench;
  socket.tellText('{"type":"ack"}');
  assert.ok(socket.closed);
  assert.equal(bench.client.state.kind, 'ended');
});

test('messages of a later protocol are passed over', () => {
  const bench = new Bench();
  bench.socket.tell({ type: 'later' });
  bench.hello();
  assert.equal(bench.client.state.kind, 'open');
});
