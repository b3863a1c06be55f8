// Which keys are the workspace's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, type Key } from '../src/shortcuts.ts';
import { deed, keysOf } from '../src/workspace/keys.ts';

const key = (name: string, more: Partial<Key> = {}): Key => ({
  key: name, code: name.length === 1 ? `Key${name.toUpperCase()}` : name,
  ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...more,
});
const all = ['L', 'Enter', 'E', 'O', 'Backspace', 'ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp'];

test('with Ctrl and Shift they are the workspace’s, on a Mac with Cmd and Shift', () => {
  assert.equal(deed(key('L', { ctrlKey: true, shiftKey: true }), 'other'), 'sessions');
  assert.equal(deed(key('l', { metaKey: true, shiftKey: true }), 'mac'), 'sessions');
  assert.equal(deed(key('L', { ctrlKey: true, shiftKey: true }), 'mac'), null);
});

test('the shell keeps its own', () => {
  for (const name of all) {
    for (const more of [{}, { ctrlKey: true }, { shiftKey: true }, { altKey: true }, { ctrlKey: true, shiftKey: true, altKey: true }]) {
      assert.equal(deed(key(name.toLowerCase(), more), 'other'), null);
    }
  }
});

test('they are the letters of the keyboard’s own layout', () => {
  assert.equal(deed({ ...key('E', { ctrlKey: true, shiftKey: true }), code: 'KeyD' }, 'other'), 'beside');
  assert.equal(deed({ ...key('Л', { ctrlKey: true, shiftKey: true }), code: 'KeyL' }, 'other'), 'sessions');
});

test('none of them is the terminal’s, too', () => {
  for (const on of ['mac', 'other', 'windows'] as const) {
    for (const name of all) {
      const event = key(name, { shiftKey: true, ctrlKey: on !== 'mac', metaKey: on === 'mac' });
      assert.notEqual(deed(event, on), null);
      assert.equal(command(event, on, true), null, name);
    }
  }
});

test('they have names', () => {
  assert.equal(keysOf('sessions', 'other'), 'Ctrl+Shift+L');
  assert.equal(keysOf('next tab', 'mac'), '⇧⌘→');
});
