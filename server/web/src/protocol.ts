// reconnectingpty.v1: its messages, its address, its close codes. Pure; the server's docs/protocol.md has the meaning
// of each field.

export const SUBPROTOCOL = 'reconnectingpty.v1';

export interface Size {
  rows: number;
  cols: number;
}

export interface Hello extends Size {
  type: 'hello';
  session: string;
  epoch: string;
  backend: string;
  created: number;
  readonly: boolean;
  offset: number;
  snapshot: number;
  input_offset: number;
  window: number;
}

export type ServerMessage =
  | Hello
  | { type: 'resync'; offset: number; snapshot: number }
  | ({ type: 'size' } & Size)
  | { type: 'ack'; input_offset: number }
  | { type: 'viewers'; count: number }
  | { type: 'exit'; code: number | null; signal: number | null }
  | { type: 'closing'; reason: string; detail: string }
  | { type: 'pong'; id: number | string };

export type ClientMessage =
  | ({ type: 'resize' } & Size)
  | { type: 'ack'; offset: number }
  | { type: 'ping'; id: number | string }
  | { type: 'kill' };

export class ProtocolError extends Error {}

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const number: Check = (value) => typeof value === 'number';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const status: Check = (value) => value === null || Number.isSafeInteger(value);
const id: Check = (value) => text(value) || number(value);

const FIELDS: Record<ServerMessage['type'], Record<string, Check>> = {
  hello: {
    session: text, epoch: text, backend: text, created: number, rows: count, cols: count, readonly: flag,
    offset: count, snapshot: count, input_offset: count, window: count,
  },
  resync: { offset: count, snapshot: count },
  size: { rows: count, cols: count },
  ack: { input_offset: count },
  viewers: { count },
  exit: { code: status, signal: status },
  closing: { reason: text, detail: text },
  pong: { id },
};

function known(type: unknown): type is ServerMessage['type'] {
  return typeof type === 'string' && Object.hasOwn(FIELDS, type);
}

/** What a server said; null for a type that this page is too old to know. Throws ProtocolError. */
export function decode(frame: string): ServerMessage | null {
  const message = object(frame);
  if (!known(message['type'])) return null;
  for (const [name, right] of Object.entries(FIELDS[message['type']])) {
    if (!right(message[name])) throw new ProtocolError(`${message['type']}: ${name} is missing or wrong`);
  }
  return message as ServerMessage;
}

function object(frame: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(frame);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new ProtocolError('a text frame must hold one JSON object');
}

export function encode(message: ClientMessage): string {
  return JSON.stringify(message);
}

const RECONNECT = new Set([1001, 1006, 1011, 1012]);

/** Whether it makes sense to try again after this close code. */
export function comesBack(code: number): boolean {
  return RECONNECT.has(code);
}

export interface Identity {
  session: string;
  client: string;
  readonly: boolean;
  command: string;
  /** The id of the link that this client came by, which is then all that lets it in. */
  link?: string | undefined;
  /** Never start the session, where it is not there. */
  attachOnly?: boolean | undefined;
}

/** Where a client's output stopped. `offset` null: the epoch is known, but the terminal does not hold its output. */
export interface Position {
  epoch: string;
  offset: number | null;
}

/**
 * The address of a terminal, below `origin` (ws:// or wss://). `position` null: this client has seen nothing yet.
 * `attempt` grows with each connection, so that one that arrives late ends none that is newer.
 */
export function address(origin: string, who: Identity, size: Size, position: Position | null, attempt: number): string {
  const query = new URLSearchParams({
    reconnect: who.session,
    width: String(size.cols),
    height: String(size.rows),
    client: who.client,
    attempt: String(attempt),
  });
  if (position !== null) {
    query.set('epoch', position.epoch);
    if (position.offset !== null) query.set('offset', String(position.offset));
  } else if (who.command !== '') {
    query.set('command', who.command);
  }
  if (who.readonly) query.set('readonly', '1');
  if (who.attachOnly === true) query.set('attach_only', '1');
  if (who.link !== undefined) query.set('link', who.link);
  return `${origin}/pty?${query}`;
}
