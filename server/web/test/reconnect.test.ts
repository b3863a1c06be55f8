import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, settle } from './fakes.ts';

test('it comes back by itself after 1001, 1006, 1011 and 1012', () => {
  for (const code of [1001, 1006, 1011, 1012]) {
    const bench = new Bench();
    bench.hello();
    bench.socket.drop(code, 'restart');
    assert.deepEqual(bench.client.state, { kind: 'waiting', until: 1125, reason: 'restart' });
    bench.clock.pass(125);
    assert.equal(bench.sockets.length, 2);
  }
});

test('waits double from a quarter of a second to half a minute, with full jitter', async () => {
  const bench = new Bench();
  bench.hello();
  bench.clock.pass(9_000);
  bench.random = 1;
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    bench.socket.drop();
    await settle();
    assert.equal(bench.client.state.kind, 'waiting');
    waits.push(bench.client.state.kind === 'waiting' ? bench.client.state.until - bench.clock.time : 0);
    bench.client.connect();
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  bench.socket.drop();
  bench.random = 0;
  await settle();
  bench.client.connect();
  bench.socket.drop();
  await settle();
  assert.equal(bench.client.state.kind === 'waiting' && bench.client.state.until, bench.clock.time);
});

test('only a connection that lasted makes the next wait short again', () => {
  const bench = new Bench();
  const drop = (after: number): number => {
    bench.hello();
    bench.clock.pass(after);
    bench.socket.drop();
    const { state } = bench.client;
    bench.client.connect();
    return state.kind === 'waiting' ? state.until - bench.clock.time : -1;
  };
  assert.deepEqual([drop(10), drop(10), drop(10), drop(6000), drop(10)], [125, 250, 500, 125, 250]);
});

test('waking up ends a wait', () => {
  const bench = new Bench();
  bench.hello();
  bench.socket.drop();
  bench.client.wake();
  assert.equal(bench.sockets.length, 2);
  bench.clock.pass(1000);
  assert.equal(bench.sockets.length, 2);
});

test('waking up finds a connection that died in the sleep', () => {
  const bench = new Bench();
  bench.hello();
  const { socket } = bench;
  bench.client.wake();
  bench.clock.pass(4000);
  assert.ok(socket.closed);
  assert.equal(bench.client.state.kind, 'waiting');
});

test('a ping without an answer is a lost connection, and the dead one is not listened to', () => {
  const bench = new Bench();
  bench.hello();
  const { socket } = bench;
  bench.clock.pass(10_000);
  assert.equal(bench.client.state.kind, 'waiting');
  socket.output('ghost');
  socket.drop(1000);
  assert.equal(bench.screen.text, '');
  assert.equal(bench.client.state.kind, 'waiting');
});

test('a server that is away is waited for, for ever', async () => {
  const bench = new Bench();
  for (let i = 0; i < 20; i++) {
    bench.socket.drop();
    await settle();
    assert.equal(bench.client.state.kind, 'waiting');
    bench.clock.pass(30_000);
  }
  assert.ok(bench.sockets.length >= 20);
});

test('a server that wants a login is told apart', async () => {
  const bench = new Bench();
  bench.diagnosis = { kind: 'unauthorized' };
  bench.socket.drop();
  await settle();
  assert.deepEqual(bench.client.state, { kind: 'locked' });
  bench.clock.pass(60_000);
  assert.equal(bench.sockets.length, 1);
});

test('a server that refuses a session never seen is asked three times', async () => {
  const bench = new Bench();
  bench.diagnosis = { kind: 'refused', reason: 'full' };
  for (let i = 0; i < 5; i++) {
    bench.socket.drop();
    await settle();
    bench.clock.pass(30_000);
  }
  assert.deepEqual(bench.client.state, { kind: 'ended', end: { cause: 'refused', reason: 'full' } });
  assert.equal(bench.sockets.length, 3);
});

test('a session that can’t be started is tried three times, and the reason told', () => {
  const bench = new Bench();
  for (let i = 0; i < 5; i++) {
    bench.socket.drop(1011, 'no such program');
    bench.clock.pass(5_000);
  }
  const end = { cause: 'closed', code: 1011, reason: 'no such program' };
  assert.deepEqual(bench.client.state, { kind: 'ended', end });
  assert.equal(bench.sockets.length, 3);
});

test('a server that refuses a session that was there is waited for', async () => {
  const bench = new Bench();
  bench.hello();
  bench.diagnosis = { kind: 'refused', reason: 'full' };
  bench.socket.drop();
  for (let i = 0; i < 6; i++) {
    bench.clock.pass(9_000);
    bench.socket.drop();
    await settle();
  }
  assert.equal(bench.client.state.kind, 'waiting');
});

test('an answer about an attempt that was given up changes nothing', async () => {
  const bench = new Bench();
  bench.diagnosis = { kind: 'unauthorized' };
  bench.socket.drop();
  bench.client.connect();
  await settle();
  assert.deepEqual(bench.client.state, { kind: 'connecting' });
});
