// What a person has chosen, as it is written down and read again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, parse } from '../src/settings.ts';

test('what is written is read again', () => {
  const chosen = { ...DEFAULTS, appearance: 'dark', dark: 'Ember', fontSize: 18, blink: true, copying: 'never' };
  assert.deepEqual(parse(JSON.stringify(chosen)), chosen);
});

test('nothing written, or nonsense, is the defaults', () => {
  for (const text of [null, '', 'x', '[]', 'null', '3', '{"fontSize":"big","blink":1,"copying":"yes","font":7}']) {
    assert.deepEqual(parse(text), DEFAULTS, String(text));
  }
});

test('one setting that makes no sense takes no other with it', () => {
  assert.deepEqual(parse('{"fontSize":1000,"cursor":"bar","other":true}'), { ...DEFAULTS, cursor: 'bar' });
});
