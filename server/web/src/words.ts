// What states and ends are called in front of people. Pure.

import type { End, State } from './client.ts';

/** What each state is, and the one thing that can be done about it. */
export interface Words {
  message: string;
  button: '' | 'Now' | 'New session' | 'Try again';
}

export function words(state: State, again: boolean): Words {
  switch (state.kind) {
    case 'connecting':
      return { message: again ? 'Reconnecting …' : 'Connecting …', button: '' };
    case 'open':
      return { message: state.readonly ? 'Connected, read-only' : 'Connected', button: '' };
    case 'waiting':
      return { message: state.reason === '' ? 'Connection lost' : `Connection lost: ${state.reason}`, button: 'Now' };
    case 'locked':
      return { message: 'Login needed', button: '' };
    case 'ended':
      return ended(state.end);
  }
}

const CLOSED: Record<string, string> = {
  timeout: 'Session ended: nobody was attached for too long',
  killed: 'Session ended: killed',
  shutdown: 'Session ended: the server was shut down',
};

/** Sessions that are over: a new one is all that can be had. The rest may be had by trying again. */
const OVER: Record<number, string> = {
  1000: 'Session ended',
  4000: CLOSED['timeout'] ?? '',
  4001: CLOSED['killed'] ?? '',
  4004: 'Session ended: the server does not have it any more',
};

function ended(end: End): Words {
  switch (end.cause) {
    case 'exit':
      return { message: exit(end.code, end.signal), button: 'New session' };
    case 'closing':
      return { message: CLOSED[end.reason] ?? `Session ended: ${end.detail || end.reason}`, button: 'New session' };
    case 'closed': {
      const over = OVER[end.code];
      if (over !== undefined) return { message: over, button: 'New session' };
      const reason = end.reason || `the server closed with code ${end.code}`;
      return { message: `Disconnected: ${reason}`, button: 'Try again' };
    }
    case 'refused':
      return { message: `The server refuses this session${end.reason && `: ${end.reason}`}`, button: 'Try again' };
  }
}

/** Numbers of POSIX and Linux that programs really end by. */
const SIGNALS: Record<number, string> = {
  1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL',
  11: 'SIGSEGV', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM', 31: 'SIGSYS',
};

function exit(code: number | null, signal: number | null): string {
  if (signal !== null) return `Program ended by ${SIGNALS[signal] ?? `signal ${signal}`}`;
  return code === null ? 'Program ended' : `Program ended with exit status ${code}`;
}

/** Milliseconds for people. */
export function roundTrip(milliseconds: number): string {
  return milliseconds < 1 ? '<1 ms' : `${Math.round(milliseconds)} ms`;
}
