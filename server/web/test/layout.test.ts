// Tabs and splits, and how they are written in the address bar.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, parse } from '../src/workspace/layout-text.ts';
import {
  EMPTY, MOST_PANES, activeSession, allSessions, close, detach, focus, moveTab, open, places, replace, resize, split,
  stepPane, stepTab, type Layout,
} from '../src/workspace/layout.ts';

const three = open(open(open(EMPTY, 'a'), 'b'), 'c');
const read = (text: string, active = ''): Layout => {
  const layout = parse(text, active);
  assert.ok(layout !== null, text);
  return layout;
};

test('a session is opened right of the tab that is shown, and shown', () => {
  assert.equal(format(three), 'a,b,c');
  assert.equal(activeSession(three), 'c');
  const more = open(focus(three, 'a'), 'd');
  assert.equal(format(more), 'a,d,b,c');
  assert.equal(activeSession(more), 'd');
});

test('a session that is open is shown, and not opened twice', () => {
  const again = open(three, 'a');
  assert.equal(format(again), 'a,b,c');
  assert.equal(activeSession(again), 'a');
  const beside = split(three, 'a', 'row');
  assert.equal(format(beside), 'a,b,c');
  assert.equal(activeSession(beside), 'a');
});

test('a split takes half of the place of the session that has the keyboard', () => {
  let layout = split(split(open(EMPTY, 'a'), 'b', 'row'), 'c', 'row');
  assert.equal(format(layout), 'a~50|b~25|c~25');
  layout = split(layout, 'd', 'column');
  assert.equal(format(layout), 'a~50|b~25|(c/d)~25');
  assert.equal(activeSession(layout), 'd');
});

test('what was beside a session that is closed grows, and a split of one is none', () => {
  const layout = read('a|(b/c)', 'b');
  assert.equal(format(close(layout, 'b')), 'a|c');
  assert.equal(format(close(layout, 'a')), 'b/c');
  assert.equal(activeSession(close(layout, 'b')), 'c');
  assert.equal(activeSession(close(read('a|b', 'b'), 'b')), 'a');
  assert.equal(format(close(read('a|(b/(c|d))'), 'b')), 'a~50|c~25|d~25');
});

test('after the tab that is closed comes its right neighbour, or the last', () => {
  assert.equal(activeSession(close(focus(three, 'a'), 'a')), 'b');
  assert.equal(activeSession(close(three, 'c')), 'b');
  assert.equal(activeSession(close(three, 'a')), 'c');
  const none = close(open(EMPTY, 'a'), 'a');
  assert.deepEqual(none, EMPTY);
  assert.equal(activeSession(none), null);
  assert.deepEqual(close(three, 'x'), three);
});

test('a session takes the place of another, keyboard included', () => {
  const layout = replace(read('a|b~30,c', 'b'), 'b', 'x');
  assert.equal(activeSession(layout), 'x');
  assert.deepEqual(allSessions(layout), ['a', 'x', 'c']);
});

test('a session of a split gets a tab of its own', () => {
  const layout = detach(read('a|b,c', 'b'), 'b');
  assert.equal(format(layout), 'a,b,c');
  assert.equal(activeSession(layout), 'b');
  assert.equal(format(detach(three, 'b')), 'a,b,c');
});

test('tabs change places, and the one that is shown stays the one', () => {
  assert.equal(format(moveTab(three, 2, 0)), 'c,a,b');
  assert.equal(activeSession(moveTab(three, 2, 0)), 'c');
  assert.equal(activeSession(moveTab(three, 0, 1)), 'c');
  assert.equal(moveTab(three, 0, 3), three);
  assert.equal(moveTab(three, 0, -1), three);
});

test('steps go round', () => {
  assert.equal(activeSession(stepTab(three, 1)), 'a');
  assert.equal(activeSession(stepTab(three, -1)), 'b');
  assert.equal(stepTab(EMPTY, 1), EMPTY);
  const panes = read('a|(b/c)', 'c');
  assert.equal(activeSession(stepPane(panes, 1)), 'a');
  assert.equal(activeSession(stepPane(panes, -1)), 'b');
});

test('panes and borders lie where the shares say', () => {
  const { panes, borders } = places(read('a~25|(b/c)~75').tabs[0]!.root);
  assert.deepEqual(panes.get('a'), { left: 0, top: 0, width: 0.25, height: 1 });
  assert.deepEqual(panes.get('b'), { left: 0.25, top: 0, width: 0.75, height: 0.5 });
  assert.deepEqual(panes.get('c'), { left: 0.25, top: 0.5, width: 0.75, height: 0.5 });
  assert.deepEqual(borders.map(({ path, index, direction, position }) => [path, index, direction, position]), [
    [[], 0, 'row', 0.25], [[1], 0, 'column', 0.5],
  ]);
});

test('where it is narrow all are stacked', () => {
  const { panes, borders } = places(read('a|b').tabs[0]!.root, true);
  assert.deepEqual(panes.get('b'), { left: 0, top: 0.5, width: 1, height: 0.5 });
  assert.equal(borders[0]!.direction, 'column');
});

test('a border is moved between its two neighbours, and leaves room for both', () => {
  const layout = read('a|b|c,d');
  assert.equal(format(resize(layout, [], 0, 0.5)), 'a~50|b~17|c~33,d');
  assert.equal(format(resize(layout, [], 0, 0)), 'a~10|b~57|c~33,d');
  assert.equal(format(resize(layout, [], 1, 2)), 'a~33|b~57|c~10,d');
  assert.equal(format(resize(layout, [4], 0, 0.5)), format(layout));
  assert.equal(format(resize(layout, [], 7, 0.5)), format(layout));
  assert.equal(format(resize(read('a|(b/c)'), [1], 0, 0.3)), 'a|(b~30/c~70)');
});

test('what is written is read again', () => {
  for (const text of ['', 'a', 'a,b', 'a|b', 'a/b', 'a|(b/c),d', 'a~30|b~70', 'a|(b/(c|d~80))', 'x.1-_|y']) {
    const layout = read(text);
    assert.equal(format(read(format(layout))), format(layout));
  }
  assert.equal(activeSession(read('a,b|c', 'c')), 'c');
  assert.equal(activeSession(read('a,b|c', 'gone')), 'a');
});

test('what is no layout is none', () => {
  const many = Array.from({ length: MOST_PANES + 1 }, (_, index) => `s${index}`).join();
  const deep = '('.repeat(20) + 'a' + ')'.repeat(20);
  for (const text of ['a,', ',a', 'a,a', 'a|a', 'a|b/c', '(a|b', 'a)', '.a', 'a b', 'a|', '<b>', 'ä', many, deep, 'x'.repeat(5000)]) {
    assert.equal(parse(text), null, text);
  }
});
