// Which keys are the page's own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, keysOf, platform, type Key } from '../src/shortcuts.ts';

/** 'Ctrl+Shift+c' as an event. */
function press(keys: string): Key {
  const parts = keys.split(/\+(?=.)/);
  const key = parts.pop() ?? '';
  return {
    key: parts.includes('Shift') && key.length === 1 ? key.toUpperCase() : key,
    code: key === ',' ? 'Comma' : `Key${key.toUpperCase()}`,
    ctrlKey: parts.includes('Ctrl'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    metaKey: parts.includes('Meta'),
  };
}

test('on Linux, Ctrl and Shift are the page’s; Ctrl alone is the shell’s, whatever is selected', () => {
  const expected = {
    'Ctrl+Shift+c': 'copy', 'Ctrl+Shift+v': 'paste', 'Ctrl+Shift+f': 'find', 'Ctrl+Shift+m': 'menu',
    'Ctrl+Shift+x': 'text', 'Ctrl+Shift+,': 'settings', 'Shift+Insert': 'paste', 'Ctrl+Insert': 'copy',
    'Ctrl+c': null, 'Ctrl+v': null, 'Ctrl+f': null, 'c': null, 'Insert': null, 'Ctrl+Alt+Shift+c': null,
    'Meta+c': null,
  };
  for (const [keys, meant] of Object.entries(expected)) assert.equal(command(press(keys), 'other', true), meant, keys);
});

test('on Windows, Ctrl+C copies what is selected and interrupts else; Ctrl+V pastes', () => {
  assert.equal(command(press('Ctrl+c'), 'windows', true), 'copy');
  assert.equal(command(press('Ctrl+c'), 'windows', false), null);
  assert.equal(command(press('Ctrl+v'), 'windows', false), 'paste');
  assert.equal(command(press('Ctrl+Shift+c'), 'windows', false), 'copy');
});

test('on a Mac, Cmd is the page’s and Ctrl the shell’s', () => {
  const expected = {
    'Meta+c': 'copy', 'Meta+v': 'paste', 'Meta+f': 'find', 'Meta+,': 'settings', 'Meta+Shift+m': 'menu',
    'Meta+Shift+x': 'text', 'Ctrl+c': null, 'Ctrl+Shift+c': null, 'Meta+Shift+c': null,
  };
  for (const [keys, meant] of Object.entries(expected)) assert.equal(command(press(keys), 'mac', true), meant, keys);
});

test('Ctrl+Insert copies only where something is selected', () => {
  assert.equal(command(press('Ctrl+Insert'), 'other', false), null);
});

test('letters get larger, smaller and usual', () => {
  const sized = (keys: string): string | null => command(press(keys), 'other', false);
  assert.deepEqual(['Ctrl+=', 'Ctrl+Shift++', 'Ctrl+-', 'Ctrl+0'].map(sized), ['larger', 'larger', 'smaller', 'usual']);
  assert.equal(command(press('Ctrl+Shift+-'), 'other', false), null); // ^_, which editors undo by
});

test('a keyboard of other letters is read by the places of its keys', () => {
  assert.equal(command({ ...press('Ctrl+Shift+c'), key: 'С', code: 'KeyC' }, 'other', true), 'copy');
});

test('platforms are known by what browsers call them', () => {
  assert.deepEqual(['MacIntel', 'iPhone', 'Win32', 'Linux x86_64', ''].map(platform),
    ['mac', 'mac', 'windows', 'other', 'other']);
  assert.equal(keysOf('find', 'mac'), '⌘F');
  assert.equal(keysOf('find', 'other'), 'Ctrl+Shift+F');
});
