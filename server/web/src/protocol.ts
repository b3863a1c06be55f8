// reconnectingpty.v1: what the text frames say. Pure; the server's docs/protocol.md has the meaning of each field.

export const SUBPROTOCOL = 'reconnectingpty.v1';

export type ServerMessage =
  | {
      type: 'hello'; session: string; epoch: string; backend: string; created: number; rows: number; cols: number;
      readonly: boolean; offset: number; snapshot: number; input_offset: number; window: number;
    }
  | { type: 'resync'; offset: number; snapshot: number }
  | { type: 'size'; rows: number; cols: number }
  | { type: 'ack'; input_offset: number }
  | { type: 'viewers'; count: number }
  | { type: 'exit'; code: number | null; signal: number | null }
  | { type: 'closing'; reason: string; detail: string }
  | { type: 'pong'; id: number | string };

export type ClientMessage =
  | { type: 'resize'; rows: number; cols: number }
  | { type: 'ack'; offset: number }
  | { type: 'ping'; id: number }
  | { type: 'kill' };

const KNOWN = new Set(['hello', 'resync', 'size', 'ack', 'viewers', 'exit', 'closing', 'pong']);

/** A server's message; null for one that this page is too old to know. */
export function decode(text: string): ServerMessage | null {
  const message = JSON.parse(text) as { type?: unknown };
  return typeof message.type === 'string' && KNOWN.has(message.type) ? (message as ServerMessage) : null;
}

export function encode(message: ClientMessage): string {
  return JSON.stringify(message);
}

/** Close codes after which it makes sense to try again. */
export const RECONNECT = new Set([1001, 1006, 1011, 1012]);

export interface Where {
  session: string;
  client: string;
  rows: number;
  cols: number;
  epoch: string | null;
  offset: number;
  readonly: boolean;
  command: string;
}

/** The address of a terminal, below `origin` (ws:// or wss://). */
export function address(origin: string, where: Where): string {
  const query = new URLSearchParams({
    reconnect: where.session, width: String(where.cols), height: String(where.rows), client: where.client,
  });
  if (where.epoch !== null) {
    query.set('epoch', where.epoch);
    query.set('offset', String(where.offset));
  } else if (where.command) query.set('command', where.command);
  if (where.readonly) query.set('readonly', '1');
  return `${origin}/pty?${query}`;
}
