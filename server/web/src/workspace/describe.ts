// How sessions, times and tunnels are called in front of people. Pure.

import type { Session, Tunnel } from './api.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What a session is called: its name, or its title, or what it runs. */
export function nameOf({ id, name, title, command }: Pick<Session, 'id' | 'name' | 'title' | 'command'>): string {
  return name || title || program(command) || id;
}

/** A shell's words, with what is in quotes. */
const WORDS = /(?:[^\s'"]|'[^']*'|"(?:[^"\\]|\\.)*"|['"])+/g;

/** The program of a command, without its path and arguments. */
export function program(command: string): string {
  const words = command.match(WORDS) ?? [];
  // What only sets the stage for the program itself.
  const first = words.findIndex((word) => word !== 'env' && word !== 'exec' && !/^[A-Za-z_]\w*=/.test(word));
  return (words[first] ?? '').replace(/^.*\//, '');
}

/** Seconds, roughly: only the largest unit counts. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h`;
  const days = Math.floor(whole / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** Below this nobody calls a session idle. */
const IDLE = 5;

export function idleness(seconds: number): string {
  return seconds < IDLE ? 'active now' : `idle ${duration(seconds)}`;
}

export function viewers(count: number): string {
  return count === 0 ? 'nobody looks' : count === 1 ? '1 viewer' : `${count} viewers`;
}

/** What is left until a moment. Unix seconds, both. */
export function remaining(until: number, now: number): string {
  const left = until - now;
  return left <= 0 ? 'expired' : left < MINUTE ? 'less than a minute' : duration(left + MINUTE / 2);
}

/** A directory with the home of whoever it belongs to left out. */
export function directory(path: string): string {
  return path.replace(/^(\/home\/[^/]+|\/root|\/Users\/[^/]+)(?=\/|$)/, '~');
}

/** How a tunnel does, in a line. */
export function tunnelState(tunnel: Tunnel): string {
  if (tunnel.up) return `up for ${duration(tunnel.up_for)}`;
  const again = tunnel.backoff_seconds > 0 ? `, restarting in ${duration(Math.max(1, tunnel.backoff_seconds))}` : '';
  const trouble = tunnel.last_trouble === '' ? '' : `: ${tunnel.last_trouble}`;
  return `${tunnel.state}${again}${trouble}`;
}

/** Whether a session is meant by the words that somebody typed: each is in it somewhere. */
export function matches(session: Session, typed: string): boolean {
  const { id, name, title, command, cwd, owner } = session;
  const text = [id, name, title, command, cwd ?? '', owner].join('\n').toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Characters that turn the direction of the text around them, or are no text at all. */
const TURNING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text for places where nothing keeps it apart from what stands around it, such as a window's title. */
export function plain(text: string): string {
  return text.replace(TURNING, '');
}
