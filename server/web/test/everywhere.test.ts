// A page's lists and starts behind a router, with a router that tests play.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from '../src/workspace/api.ts';
import { Everywhere } from '../src/workspace/everywhere.ts';

/** Nodes by name: their sessions, or null where one does not answer. `asked` tells which paths were. */
class Router {
  asked: string[] = [];
  told = 0;

  constructor(readonly nodes: Record<string, string[] | null>, readonly up = Object.keys(nodes)) {}

  readonly fetch = async (path: string, how: RequestInit): Promise<Response> => {
    this.asked.push(`${how.method} ${path}`);
    if (path === '/api/nodes') {
      return Response.json({ nodes: Object.keys(this.nodes).map((node) => ({ node, up: this.up.includes(node) })) });
    }
    const [, node, rest] = /^\/node\/([a-z]+)(.*)$/.exec(path) ?? [];
    if (how.method === 'POST') return Response.json({ id: `${node ?? 'any'}.new` }, { status: 201 });
    if (node === undefined) return Response.json({ sessions: [{ id: 'plain' }] });
    assert.match(rest ?? '', /^\/api\/(sessions|tunnels)/);
    const ids = this.nodes[node];
    if (ids == null) throw new TypeError('network');
    const etag = JSON.stringify(ids.join());
    if (new Headers(how.headers).get('if-none-match') === etag) return new Response(null, { status: 304 });
    this.told += 1;
    return Response.json({ sessions: ids.map((id) => ({ id })) }, { headers: { etag } });
  };
}

const ids = (sessions: { id: string }[]): string[] => sessions.map(({ id }) => id);

test('the sessions of all nodes are one list, and the same one while nothing is new', async () => {
  const router = new Router({ a: ['a.1'], b: ['b.1', 'b.2'] });
  const api = new Api(new Everywhere(router.fetch).fetch, null);
  const first = await api.sessions(6);
  assert.deepEqual(ids(first), ['a.1', 'b.1', 'b.2']);
  assert.equal(await api.sessions(6), first);
  assert.equal(router.told, 2);
  router.nodes.b = ['b.2'];
  assert.deepEqual(ids(await api.sessions(6)), ['a.1', 'b.2']);
  assert.equal(router.told, 3);
  assert.ok(router.asked.includes('GET /node/b/api/sessions?preview=6'));
});

test('a node that does not answer is named, and the others are listed', async () => {
  const router = new Router({ a: ['a.1'], b: null, c: ['c.1'], d: ['d.1'] }, ['a', 'b', 'd']);
  const api = new Api(new Everywhere(router.fetch).fetch, null);
  const before = await api.sessions();
  assert.deepEqual(ids(before), ['a.1', 'd.1']);
  assert.deepEqual(api.silent, ['b', 'c']);
  assert.equal(await api.sessions(), before);
  assert.deepEqual(api.silent, ['b', 'c']);
  router.nodes.b = ['b.1'];
  assert.deepEqual(ids(await api.sessions()), ['a.1', 'b.1', 'd.1']);
  assert.deepEqual(api.silent, ['c']);
});

test('a session like another is started where that one is', async () => {
  const router = new Router({ a: [], b: [] });
  const api = new Api(new Everywhere(router.fetch).fetch, null);
  assert.equal((await api.start({ like: 'b.1' })).id, 'b.new');
  assert.equal((await api.start({})).id, 'any.new');
});

test('a server that stands alone is asked once whether it does', async () => {
  const router = new Router({ a: [] });
  const api = new Api(new Everywhere(router.fetch).fetch, null);
  assert.deepEqual(ids(await api.sessions()), ['plain']);
  await api.sessions();
  await api.start({ like: 'x.y' });
  assert.deepEqual(router.asked, ['GET /api/nodes', 'GET /api/sessions', 'GET /api/sessions', 'POST /api/sessions']);
});

test('a page that came by a link asks for its own session alone', async () => {
  const router = new Router({ a: ['a.1'], b: ['b.1'] });
  await new Api(new Everywhere(router.fetch).fetch, null, 'l1').sessions();
  assert.deepEqual(router.asked, ['GET /api/sessions?link=l1']);
});

test('a login that is wanted is asked for', async () => {
  let logins = 0;
  const router = new Router({ a: ['a.1'], b: [] });
  const fetch = async (path: string, how: RequestInit): Promise<Response> =>
    logins === 0 ? Response.json({ message: 'log in' }, { status: 401 }) : router.fetch(path, how);
  const api = new Api(new Everywhere(fetch).fetch, async () => { logins += 1; });
  assert.deepEqual(ids(await api.sessions()), ['a.1']);
  assert.equal(logins, 1);
});
