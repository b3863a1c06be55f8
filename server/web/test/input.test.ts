import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputQueue } from '../src/input.ts';
import { bytes } from './fakes.ts';

const taken = (queue: InputQueue, window = 1000): string =>
  queue.take(window).map((part) => new TextDecoder().decode(part)).join('');

function filled(...parts: string[]): InputQueue {
  const queue = new InputQueue();
  for (const part of parts) queue.push(bytes(part));
  return queue;
}

test('everything is sent once and in order', () => {
  const queue = filled('one', 'two');
  assert.equal(taken(queue), 'onetwo');
  queue.push(bytes('three'));
  assert.equal(taken(queue), 'three');
  assert.equal(taken(queue), '');
});

test('no more than a window is in flight', () => {
  const queue = filled('abc', 'defgh');
  assert.equal(taken(queue, 4), 'abcd');
  assert.equal(taken(queue, 4), '');
  queue.acknowledge(2);
  assert.equal(taken(queue, 4), 'ef');
  queue.acknowledge(6);
  assert.equal(taken(queue, 4), 'gh');
});

test('a reconnect sends again what the session does not have', () => {
  for (let had = 0; had <= 6; had++) {
    const queue = filled('abc', 'def');
    taken(queue);
    queue.push(bytes('ghi'));
    queue.resume(had);
    assert.equal(taken(queue), 'abcdefghi'.slice(had));
  }
});

test('an acknowledgement beyond what is known here is believed', () => {
  const queue = filled('abc');
  queue.acknowledge(10);
  queue.push(bytes('twenty letters or so'));
  assert.equal(taken(queue), 'twenty letters or so');
});

test('a session that forgot the client gets what was never sent, and nothing twice', () => {
  const queue = filled('abc', 'def');
  queue.begin(5);
  taken(queue, 2);
  queue.acknowledge(6);
  queue.resume(0);
  assert.equal(taken(queue, 2), 'cd');
  queue.acknowledge(2);
  assert.equal(taken(queue, 2), 'ef');
});

test('another shell gets nothing of what was typed into the one before', () => {
  const queue = filled('rm x');
  queue.restart(0);
  assert.equal(taken(queue), '');
  queue.push(bytes('ls'));
  assert.equal(taken(queue), 'ls');
});

test('a long paste goes in frames that let an acknowledgement between them', () => {
  const queue = filled('x'.repeat(100_000));
  const frames = queue.take(1 << 20);
  assert.ok(frames.every((frame) => frame.length <= 16384));
  assert.equal(frames.reduce((sum, frame) => sum + frame.length, 0), 100_000);
});
