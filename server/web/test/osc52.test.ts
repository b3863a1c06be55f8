// What programs may put into the clipboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copied } from '../src/osc52.ts';

const packed = (text: string): string => Buffer.from(text).toString('base64');

test('a text for the clipboard is taken, whatever target is named', () => {
  for (const target of ['c', 'p', 's', '0', 'cs', '']) {
    assert.equal(copied(`${target};${packed('grün 😀\n')}`), 'grün 😀\n');
  }
});

test('base64 without its padding is taken, too', () => {
  assert.equal(copied(`c;${packed('a').replaceAll('=', '')}`), 'a');
});

test('what asks for the clipboard is no text, and so is what is empty or broken', () => {
  for (const data of ['c;?', 'c;', 'c', '', ';', 'c;%%%', `x;${packed('a')}`, `c;${packed('a')};${packed('b')}`]) {
    assert.equal(copied(data), null, data);
  }
});

test('what is no UTF-8 is not taken', () => {
  assert.equal(copied(`c;${Buffer.from([0xff, 0xfe]).toString('base64')}`), null);
});

test('a text of more than 1 MiB is not taken', () => {
  assert.equal(copied(`c;${packed('x'.repeat(1 << 20))}`)?.length, 1 << 20);
  assert.equal(copied(`c;${packed('x'.repeat((1 << 20) + 3))}`), null);
});
