import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { End, State } from '../src/client.ts';
import { roundTrip, words } from '../src/words.ts';

const ended = (end: End) => Object.values(words({ kind: 'ended', end }, true));

test('each end is told as what it is, with what can be done', () => {
  const exited = ended({ cause: 'exit', code: 3, signal: null });
  assert.deepEqual(exited, ['Program ended with exit status 3', 'New session']);
  assert.deepEqual(ended({ cause: 'exit', code: null, signal: 9 }), ['Program ended by SIGKILL', 'New session']);
  assert.deepEqual(ended({ cause: 'exit', code: null, signal: 40 }), ['Program ended by signal 40', 'New session']);
  const reasons = { timeout: 'nobody was attached', killed: 'killed', shutdown: 'shut down', error: 'it broke' };
  for (const [reason, told] of Object.entries(reasons)) {
    const [message, button] = ended({ cause: 'closing', reason, detail: 'it broke' });
    assert.ok(message?.startsWith('Session ended: ') && message.includes(told), message);
    assert.equal(button, 'New session');
  }
});

test('a close without a message before it is told by its code', () => {
  for (const code of [1000, 4000, 4001, 4004]) {
    assert.match(ended({ cause: 'closed', code, reason: '' })[0] as string, /^Session ended/);
  }
  const refused = ended({ cause: 'closed', code: 1008, reason: 'read-only' });
  assert.deepEqual(refused, ['Disconnected: read-only', 'Try again']);
  assert.match(ended({ cause: 'closed', code: 1009, reason: '' })[0] as string, /^Disconnected: .* 1009$/);
  assert.deepEqual(ended({ cause: 'refused', reason: '' }), ['The server refuses this session', 'Try again']);
  const full = ended({ cause: 'refused', reason: 'there are 5 sessions already' });
  assert.deepEqual(full, ['The server refuses this session: there are 5 sessions already', 'Try again']);
});

test('a connection is told, too', () => {
  const told: [State, boolean, string, string][] = [
    [{ kind: 'connecting' }, false, 'Connecting …', ''],
    [{ kind: 'connecting' }, true, 'Reconnecting …', ''],
    [{ kind: 'open', readonly: false }, true, 'Connected', ''],
    [{ kind: 'open', readonly: true }, true, 'Connected, read-only', ''],
    [{ kind: 'waiting', until: 0, reason: '' }, true, 'Connection lost', 'Now'],
    [{ kind: 'waiting', until: 0, reason: 'restart' }, true, 'Connection lost: restart', 'Now'],
    [{ kind: 'locked' }, true, 'Login needed', ''],
  ];
  for (const [state, again, message, button] of told) assert.deepEqual(words(state, again), { message, button });
});

test('round trips are told in whole milliseconds', () => {
  assert.deepEqual([0.3, 1, 1.6, 250].map(roundTrip), ['<1 ms', '1 ms', '2 ms', '250 ms']);
});
