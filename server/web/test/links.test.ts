// Where links may lead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linksIn, safeLink } from '../src/links.ts';

test('the web and mail are safe', () => {
  for (const url of ['http://a.example/', 'https://a.example/b?c#d', 'mailto:ada@a.example']) {
    assert.equal(safeLink(url), url);
  }
});

test('all else is not', () => {
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'ftp://a.example', 'x', '', '//a']) {
    assert.equal(safeLink(url), null, url);
  }
  assert.equal(safeLink(`https://a.example/${'x'.repeat(5000)}`), null);
});

test('a host in letters that look like others is spelled out', () => {
  assert.equal(safeLink('https://аpple.com/'), 'https://xn--pple-43d.com/');
});

test('links are found in a text, each once, without what the sentence adds', () => {
  const text = 'see https://a.example/x, (http://b.example/y) and https://a.example/x. Not javascript:alert(1)!';
  assert.deepEqual(linksIn(text), ['https://a.example/x', 'http://b.example/y']);
});
