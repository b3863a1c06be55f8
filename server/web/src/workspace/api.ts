// The server's HTTP interface, as far as the page needs it. Knows no element of the page.

/** A session, as the server tells of it. */
export interface Session {
  id: string;
  name: string;
  title: string;
  command: string;
  cwd: string | null;
  owner: string;
  access: 'read' | 'write';
  state: string;
  rows: number;
  cols: number;
  viewers: number;
  /** Seconds since anything happened in it, when it was asked. */
  idle: number;
  /** Unix seconds. */
  created: number;
  preview?: string[];
}

/** Who this page is to the server, and what it may do. */
export interface Visitor {
  name: string;
  role: 'admin' | 'user' | 'viewer' | 'guest';
  session: string | null;
  access: 'read' | 'write';
  /** Unix seconds; null: never. */
  expires: number | null;
  may: { create: boolean; command: boolean; containers: boolean; share: boolean; kill: boolean };
}

export interface Link {
  id: string;
  session: string;
  access: 'read' | 'write';
  /** Unix seconds, both. */
  created: number;
  expires: number;
  by: string;
}

export interface Tunnel {
  destination: string;
  remote: string;
  state: string;
  up: boolean;
  /** Seconds, both. */
  up_for: number;
  backoff_seconds: number;
  restarts: number;
  last_trouble: string;
}

/** What a new session is started with; what is left out is the server's choice. */
export interface Wish {
  name?: string;
  command?: string;
  container?: string;
  container_user?: string;
  /** The id of a session that is to be had once more. */
  like?: string;
}

/** The server said no, or nothing (`status` 0). The message is for people. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

interface Complaint {
  message?: unknown;
  validations?: { field: string; detail: string }[];
}

/** As fetch(), as far as it is needed here. */
export type Fetch = (path: string, how: RequestInit) => Promise<Response>;

/** The sessions when they were asked for last, so that an answer without news needs no content. */
interface Known {
  tag: string;
  sessions: Session[];
}

export class Api {
  /** The nodes that did not answer when the sessions were asked for last. */
  silent: string[] = [];

  private known = new Map<string, Known>();

  /**
   * `link`: the id of the link that the page came by, if it did. `unlock` has the person log in; it is asked when the
   * server wants that, and then the request is made again.
   */
  constructor(
    private readonly fetch: Fetch,
    private readonly unlock: (() => Promise<void>) | null,
    private readonly link: string | null = null,
  ) {}

  async whoami(): Promise<Visitor> {
    return await this.json('GET', '/api/whoami') as Visitor;
  }

  /** The sessions, with so many last lines of each; the very same array as before where nothing has changed. */
  async sessions(preview = 0): Promise<Session[]> {
    const path = preview > 0 ? `/api/sessions?preview=${preview}` : '/api/sessions';
    const known = this.known.get(path);
    const answer = await this.ask('GET', path, undefined, known === undefined ? {} : { 'if-none-match': known.tag });
    if (answer.status === 304 && known !== undefined) return known.sessions;
    const { sessions, silent = [] } = await answer.json() as { sessions: Session[]; silent?: string[] };
    this.silent = silent;
    const tag = answer.headers.get('etag');
    if (tag === null) this.known.delete(path);
    else this.known.set(path, { tag, sessions });
    return sessions;
  }

  async start(wish: Wish): Promise<Session> {
    return await this.json('POST', '/api/sessions', wish) as Session;
  }

  async rename(session: string, name: string): Promise<Session> {
    return await this.json('PATCH', `/api/sessions/${session}`, { name }) as Session;
  }

  /** End a session; it has ended when this returns. */
  async kill(session: string): Promise<void> {
    await this.ask('DELETE', `/api/sessions/${session}`);
  }

  async links(session: string): Promise<Link[]> {
    return (await this.json('GET', `/api/sessions/${session}/links`) as { links: Link[] }).links;
  }

  /** A new link; `path` is told this once. */
  async makeLink(session: string, access: Link['access'], seconds: number): Promise<Link & { path: string }> {
    return await this.json('POST', `/api/sessions/${session}/links`, { access, seconds }) as Link & { path: string };
  }

  async revoke(session: string, link: string): Promise<void> {
    await this.ask('DELETE', `/api/sessions/${session}/links/${link}`);
  }

  async tunnels(): Promise<Tunnel[]> {
    return (await this.json('GET', '/api/tunnels') as { tunnels: Tunnel[] }).tunnels;
  }

  /** Let the page in by the text of a link. */
  async enter(share: string): Promise<{ link: string; session: string; access: Link['access']; expires: number }> {
    const answer = await this.json('POST', '/api/login', { share });
    return answer as { link: string; session: string; access: Link['access']; expires: number };
  }

  private async json(method: string, path: string, body?: object): Promise<unknown> {
    return (await this.ask(method, path, body)).json();
  }

  private async ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const answer = await this.send(method, path, body, headers);
    if (answer.ok || answer.status === 304) return answer;
    if (answer.status === 401 && this.unlock !== null) {
      await this.unlock();
      return this.ask(method, path, body, headers);
    }
    throw new ApiError(answer.status, await complaint(answer));
  }

  private async send(method: string, path: string, body: object | undefined, headers: Record<string, string>): Promise<Response> {
    const how: RequestInit = { method, headers, cache: 'no-store' };
    if (body !== undefined) {
      how.headers = { ...headers, 'content-type': 'application/json' };
      how.body = JSON.stringify(body);
    }
    try {
      return await this.fetch(this.address(path), how);
    } catch {
      throw new ApiError(0, 'The server can’t be reached.');
    }
  }

  private address(path: string): string {
    return this.link === null ? path : `${path}${path.includes('?') ? '&' : '?'}link=${encodeURIComponent(this.link)}`;
  }
}

/** What the server has against a request, as a sentence. */
async function complaint(answer: Response): Promise<string> {
  let told: Complaint = {};
  try {
    told = await answer.json() as Complaint;
  } catch {
    // A gateway's own page, or nothing.
  }
  const details = (told.validations ?? []).map(({ field, detail }) => `${field} ${detail}`);
  const message = typeof told.message === 'string' ? told.message : `the server answered ${answer.status}`;
  const text = [message, ...details].join('; ');
  const wait = Number(answer.headers.get('retry-after'));
  const again = answer.status === 429 && wait > 0 ? `, in ${wait} s` : '';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${again}.`;
}
