// The colours to choose from: that all of them can be read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEMES, scheme, theme } from '../src/schemes.ts';

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Black on dark schemes and the whites on light ones are grounds. */
const isGround = (i: number, dark: boolean): boolean => (dark ? i === 0 : i === 7 || i === 15);

for (const one of SCHEMES) {
  test(`${one.name} can be read`, () => {
    assert.equal(one.colours.length, 16);
    one.colours.forEach((colour, i) => {
      if (!isGround(i, one.dark)) assert.ok(contrast(colour, one.ground) >= 4.5, `colour ${i}`);
    });
    assert.ok(contrast(one.text, one.ground) >= 7);
    assert.ok(contrast(one.text, one.selection) >= 4.5, 'selected');
    assert.ok(contrast(one.accent, one.ground) >= 4.5, 'accent');
    assert.ok(contrast(one.onAccent, one.accent) >= 4.5, 'on the accent');
  });
}

test('there are several of both kinds, with names of their own', () => {
  for (const dark of [true, false]) assert.ok(SCHEMES.filter((one) => one.dark === dark).length >= 3);
  assert.equal(new Set(SCHEMES.map(({ name }) => name)).size, SCHEMES.length);
});

test('a scheme of another kind or an unknown name is the first of the kind', () => {
  assert.equal(scheme('Ember', true).name, 'Ember');
  assert.equal(scheme('Ember', false).name, 'Day');
  assert.equal(scheme('gone', true).name, 'Night');
});

test('the terminal gets all sixteen', () => {
  const { black, white, brightBlack, brightWhite } = theme(scheme('Night', true));
  assert.deepEqual([black, white, brightBlack, brightWhite], ['#343b45', '#cbd3dc', '#8b96a5', '#f7f9fb']);
});
