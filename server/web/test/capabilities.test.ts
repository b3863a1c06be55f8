// What programs are told of terminfo.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilities } from '../src/capabilities.ts';

test('what is known is told, each name by itself', () => {
  assert.equal(capabilities('436F'), '\x1bP1+r436F=323536\x1b\\');
  assert.equal(capabilities('524742;436f'), '\x1bP1+r524742=38\x1b\\\x1bP1+r436f=323536\x1b\\');
});

test('the first unknown name ends the answer', () => {
  assert.equal(capabilities('6b75'), '\x1bP0+r6b75\x1b\\');
  assert.equal(capabilities('436f;6b75;436f'), '\x1bP1+r436f=323536\x1b\\\x1bP0+r6b75\x1b\\');
});

test('nonsense is not repeated, and much of it is not answered for ever', () => {
  assert.equal(capabilities('\n rm'), '\x1bP0+r\x1b\\');
  assert.equal(capabilities(''), '\x1bP0+r\x1b\\');
  assert.ok(capabilities('436f;'.repeat(1e5)).length < 2000);
});
