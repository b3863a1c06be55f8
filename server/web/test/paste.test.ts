// What is pasted as it is, and what is asked about.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless, lineCount, runsAtOnce } from '../src/paste.ts';

test('the end of a bracketed paste and other keys are taken out of a text', () => {
  assert.equal(harmless('a\x1b[201~rm\x03\x04\x7f\x9bb'), 'a[201~rmb');
});

test('tabs, line ends and all letters stay', () => {
  assert.equal(harmless('a\tb\r\nc\rd\nä€😀'), 'a\tb\r\nc\rd\nä€😀');
});

test('a line end runs what stands before it, but in brackets', () => {
  assert.ok(runsAtOnce('ls\n', false));
  assert.ok(runsAtOnce('ls\rpwd', false));
  assert.ok(!runsAtOnce('ls', false));
  assert.ok(!runsAtOnce('ls\npwd\n', true));
});

test('lines are counted as people count them', () => {
  assert.deepEqual(['a', 'a\n', 'a\nb', 'a\r\nb\r\n', 'a\n\n', 'a\rb'].map(lineCount), [1, 1, 2, 2, 2, 2]);
});
