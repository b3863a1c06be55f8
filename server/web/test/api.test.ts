// The page's requests, with a server that tests play.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, ApiError, type Fetch } from '../src/workspace/api.ts';

interface Asked {
  path: string;
  method: string;
  body: unknown;
  headers: Record<string, string>;
}

function played(...answers: (() => Response)[]): { fetch: Fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch: Fetch = async (path, how) => {
    const body: unknown = how.body === undefined ? undefined : JSON.parse(how.body as string);
    asked.push({ path, method: how.method ?? '', body, headers: how.headers as Record<string, string> });
    return answers.shift()!();
  };
  return { fetch, asked };
}

const json = (value: unknown, status = 200, headers = {}) => (): Response => Response.json(value, { status, headers });

async function fails(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(() => null, (failure: unknown) => failure);
  assert.ok(error instanceof ApiError);
  return error;
}

test('sessions without news are the same as before', async () => {
  const { fetch, asked } = played(
    json({ sessions: [{ id: 'a' }] }, 200, { etag: '"1"' }),
    () => new Response(null, { status: 304 }),
    json({ sessions: [] }, 200, { etag: '"2"' }),
  );
  const api = new Api(fetch, null);
  const first = await api.sessions(6);
  assert.equal(await api.sessions(6), first);
  assert.deepEqual(await api.sessions(6), []);
  assert.deepEqual(asked.map(({ path }) => path), Array(3).fill('/api/sessions?preview=6'));
  assert.deepEqual(asked.map(({ headers }) => headers['if-none-match']), [undefined, '"1"', '"1"']);
});

test('a list with another number of lines is another list', async () => {
  const { fetch, asked } = played(json({ sessions: [] }, 200, { etag: '"1"' }), json({ sessions: [] }));
  const api = new Api(fetch, null);
  await api.sessions(6);
  await api.sessions();
  assert.equal(asked[1]?.headers['if-none-match'], undefined);
});

test('a page that came by a link names it in every request', async () => {
  const { fetch, asked } = played(json({}), json({ sessions: [] }));
  const api = new Api(fetch, null, 'l1');
  await api.whoami();
  await api.sessions(3);
  assert.deepEqual(asked.map(({ path }) => path), ['/api/whoami?link=l1', '/api/sessions?preview=3&link=l1']);
});

test('a request that wants a login is made again after it', async () => {
  const { fetch, asked } = played(json({ message: 'log in' }, 401), json({ id: 'a', name: 'x' }));
  let logins = 0;
  const api = new Api(fetch, async () => { logins += 1; });
  assert.equal((await api.rename('a', 'x')).name, 'x');
  assert.equal(logins, 1);
  assert.deepEqual(asked.map(({ method, body }) => [method, body]), [['PATCH', { name: 'x' }], ['PATCH', { name: 'x' }]]);
});

test('a page that came by a link is asked for no login', async () => {
  const { fetch } = played(json({ message: 'this link has expired or was revoked' }, 401));
  const error = await fails(new Api(fetch, null, 'l1').whoami());
  assert.equal(error.status, 401);
  assert.equal(error.message, 'This link has expired or was revoked.');
});

test('what the server has against a request is told as a sentence', async () => {
  const { fetch } = played(
    json({ message: 'not like that', validations: [{ field: 'name', detail: 'must be short' }] }, 400),
    json({ message: 'too many sessions started; try again later' }, 429, { 'retry-after': '7' }),
    () => new Response('<html>', { status: 502 }),
    () => { throw new TypeError('no network'); },
  );
  const api = new Api(fetch, null);
  assert.equal((await fails(api.start({ name: 'x' }))).message, 'Not like that; name must be short.');
  assert.equal((await fails(api.start({}))).message, 'Too many sessions started; try again later, in 7 s.');
  assert.equal((await fails(api.start({}))).message, 'The server answered 502.');
  const error = await fails(api.start({}));
  assert.deepEqual([error.status, error.message], [0, 'The server can’t be reached.']);
});
