// What is known of the server's sessions, asked for again and again while somebody looks. Whoever shows something of it
// listens to `change`; the time that passes changes nothing here.

import { Emitter } from '../emitter.ts';
import type { Api, Session } from './api.ts';

const PAUSE = 2_000;
/** After a failure: the server has something else to do. */
const LONG_PAUSE = 5_000;
/** Lines of a preview. */
const LINES = 8;

export class Catalogue extends Emitter<{ change: void }> {
  /** In the order in which they were started; null: not known yet. */
  sessions: Session[] | null = null;
  /** What is in the way; '' nothing. */
  problem = '';

  private heard = 0;
  private watchers = 0;
  private timer = 0;
  private asking: Promise<void> | null = null;

  constructor(private readonly api: Api) {
    super();
    document.addEventListener('visibilitychange', () => { if (this.watchers > 0 && !document.hidden) this.again(0); });
  }

  get(session: string): Session | undefined {
    return this.sessions?.find(({ id }) => id === session);
  }

  /** Seconds since anything happened in a session. */
  idle(session: Session): number {
    return session.idle + (performance.now() - this.heard) / 1000;
  }

  /** Keep asking, until what is returned is called. */
  watch(): () => void {
    this.watchers += 1;
    this.again(0);
    return () => {
      this.watchers -= 1;
      if (this.watchers === 0) clearTimeout(this.timer);
    };
  }

  /** Ask now. */
  refresh(): Promise<void> {
    // An answer that is under way may be older than what somebody has just done.
    this.asking = (this.asking ?? Promise.resolve()).then(() => this.ask());
    return this.asking;
  }

  private async ask(): Promise<void> {
    let { sessions, problem } = this;
    try {
      sessions = await this.api.sessions(this.watchers > 0 ? LINES : 0);
      problem = silence(this.api.silent);
    } catch (error) {
      problem = (error as Error).message;
    }
    if (sessions === this.sessions && problem === this.problem) return;
    if (sessions !== this.sessions) this.heard = performance.now();
    this.sessions = sessions;
    this.problem = problem;
    this.emit('change', undefined);
  }

  private again(pause: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.turn(), pause);
  }

  private async turn(): Promise<void> {
    if (!document.hidden) await this.refresh();
    if (this.watchers > 0 && !document.hidden) this.again(this.problem === '' ? PAUSE : LONG_PAUSE);
  }
}

function silence(nodes: readonly string[]): string {
  if (nodes.length === 0) return '';
  return nodes.length === 1 ? `The node ${nodes[0]} does not answer.` : `The nodes ${nodes.join(', ')} do not answer.`;
}
