import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError, address, comesBack, decode, encode, type Identity, type Position, type Size } from '../src/protocol.ts';

const MESSAGES = [
  {
    type: 'hello', session: 's', epoch: 'e', backend: 'buffered', created: 1.5, rows: 24, cols: 80, readonly: false,
    offset: 7, snapshot: 3, input_offset: 2, window: 262144,
  },
  { type: 'resync', offset: 9, snapshot: 0 },
  { type: 'size', rows: 24, cols: 80 },
  { type: 'ack', input_offset: 4 },
  { type: 'viewers', count: 2 },
  { type: 'exit', code: 3, signal: null },
  { type: 'exit', code: null, signal: 9 },
  { type: 'closing', reason: 'timeout', detail: 'nobody came' },
  { type: 'pong', id: 5 },
  { type: 'pong', id: 'five' },
];

test('every message of a server is read', () => {
  for (const message of MESSAGES) assert.deepEqual(decode(JSON.stringify(message)), message);
});

test('a field that is missing or of the wrong type is an error', () => {
  for (const message of MESSAGES) {
    for (const field of Object.keys(message)) {
      if (field === 'type') continue;
      for (const wrong of [undefined, [], {}]) {
        const frame = JSON.stringify({ ...message, [field]: wrong });
        assert.throws(() => decode(frame), ProtocolError, `${message.type} ${field}`);
      }
    }
  }
  for (const offset of [-1, 0.5, 2 ** 60]) {
    assert.throws(() => decode(JSON.stringify({ type: 'resync', offset, snapshot: 0 })), ProtocolError);
  }
});

test('what is no JSON object is an error', () => {
  for (const frame of ['', '{', 'null', '7', '"hello"']) assert.throws(() => decode(frame), ProtocolError, frame);
});

test('a later protocol may have more fields and more messages', () => {
  const message = { type: 'viewers', count: 1, names: ['ada'] };
  assert.deepEqual(decode(JSON.stringify(message)), message);
  for (const type of ['later', 'toString', 7, undefined]) assert.equal(decode(JSON.stringify({ type })), null);
});

test('every message of a client is one JSON object', () => {
  assert.equal(encode({ type: 'resize', rows: 24, cols: 80 }), '{"type":"resize","rows":24,"cols":80}');
  assert.equal(encode({ type: 'ack', offset: 7 }), '{"type":"ack","offset":7}');
  assert.equal(encode({ type: 'ping', id: 'x' }), '{"type":"ping","id":"x"}');
  assert.equal(encode({ type: 'kill' }), '{"type":"kill"}');
});

const WHO = { session: 'a.b', client: 'c', readonly: false, command: '' };
const SIZE = { rows: 24, cols: 80 };
const query = (origin: string, who: Identity, size: Size, position: Position | null) =>
  Object.fromEntries(new URL(address(origin, who, size, position, 1)).searchParams);

test('an address names the session, the client and the size', () => {
  assert.equal(address('wss://h:1', WHO, SIZE, null, 3), 'wss://h:1/pty?reconnect=a.b&width=80&height=24&client=c&attempt=3');
});

test('a command is asked for once, and its characters are escaped', () => {
  const who = { ...WHO, command: 'echo "a&b" | cat +1' };
  assert.equal(query('ws://h', who, SIZE, null)['command'], who.command);
  assert.equal(query('ws://h', who, SIZE, { epoch: 'e', offset: 0 })['command'], undefined);
});

test('a position is an epoch, and an offset where there is one', () => {
  assert.equal(query('ws://h', WHO, SIZE, { epoch: 'ab', offset: 0 })['offset'], '0');
  const broken = query('ws://h', WHO, SIZE, { epoch: 'ab', offset: null });
  assert.deepEqual([broken['epoch'], broken['offset']], ['ab', undefined]);
});

test('a read-only client says so', () => {
  assert.equal(query('ws://h', { ...WHO, readonly: true }, SIZE, null)['readonly'], '1');
});

test('a client comes back after 1001, 1006, 1011 and 1012 alone', () => {
  const codes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1015, 4000, 4001, 4004];
  assert.deepEqual(codes.filter(comesBack), [1001, 1006, 1011, 1012]);
});

test('a link is named as often as it lets in, and a session that was seen before is not started anew', () => {
  const who = { ...WHO, link: 'l1', attachOnly: true };
  const [first, again] = [null, { epoch: 'ab', offset: 0 }].map((position) => query('ws://h', who, SIZE, position));
  assert.deepEqual([first?.['link'], first?.['attach_only'], again?.['link']], ['l1', '1', 'l1']);
});
