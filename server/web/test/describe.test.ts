// What sessions, times and tunnels are called.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, Tunnel } from '../src/workspace/api.ts';
import { directory, duration, idleness, matches, nameOf, program, remaining, tunnelState } from '../src/workspace/describe.ts';

const session: Session = {
  id: 'QX7', name: '', title: '', command: '/usr/bin/htop -d 5', cwd: '/home/ada/work', owner: 'ada', access: 'write',
  state: 'active', rows: 24, cols: 80, viewers: 1, idle: 0, created: 0,
};

test('a session is called by its name, or its title, or its program', () => {
  assert.equal(nameOf({ ...session, name: 'work', title: 'vim' }), 'work');
  assert.equal(nameOf({ ...session, title: 'vim' }), 'vim');
  assert.equal(nameOf(session), 'htop');
  assert.equal(nameOf({ ...session, command: '' }), 'QX7');
});

test('the program is what the command is really about', () => {
  assert.equal(program("env PS1='x' bash --norc"), 'bash');
  assert.equal(program(`env PS1='$ ' LINES="2 \\" 3" /bin/bash --norc`), 'bash');
  assert.equal(program("echo it's"), 'echo');
  assert.equal(program('exec top'), 'top');
  assert.equal(program(''), '');
});

test('times are told by their largest unit', () => {
  assert.deepEqual([0, 59.9, 60, 3599, 3600, 86399, 86400, 200000].map(duration), [
    '0 s', '59 s', '1 min', '59 min', '1 h', '23 h', '1 day', '2 days',
  ]);
  assert.equal(idleness(1), 'active now');
  assert.equal(idleness(61), 'idle 1 min');
});

test('what is left of a link', () => {
  assert.equal(remaining(100, 100), 'expired');
  assert.equal(remaining(100, 99), 'less than a minute');
  assert.equal(remaining(3600, 1), '1 h');
  assert.equal(remaining(7200, 0), '2 h');
});

test('a home directory is left out', () => {
  assert.equal(directory('/home/ada/work'), '~/work');
  assert.equal(directory('/root'), '~');
  assert.equal(directory('/rooted'), '/rooted');
  assert.equal(directory('/srv'), '/srv');
});

test('a session is found by words of its name, command, directory or owner', () => {
  assert.ok(matches(session, ''));
  assert.ok(matches(session, ' ADA  htop '));
  assert.ok(matches({ ...session, title: 'Läuft' }, 'läu'));
  assert.ok(!matches(session, 'htop bob'));
});

test('a tunnel tells whether it stands, why not, and when it is tried again', () => {
  const tunnel: Tunnel = {
    destination: 'host', remote: '22', state: 'up', up: true, up_for: 90, backoff_seconds: 0, restarts: 0, last_trouble: '',
  };
  assert.equal(tunnelState(tunnel), 'up for 1 min');
  const down = { ...tunnel, up: false, state: 'backoff', backoff_seconds: 4.2, last_trouble: 'connection refused' };
  assert.equal(tunnelState(down), 'backoff, restarting in 4 s: connection refused');
});
