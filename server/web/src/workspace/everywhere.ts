// The nodes behind a router, asked as if they were one server. Knows no element of the page.

import type { Fetch } from './api.ts';

interface Node {
  node: string;
  up: boolean;
}

/** What a node said last to a question, so that an answer without news needs no content. */
interface Heard {
  tag: string | null;
  entries: { created?: number }[];
}

/** What each node has for itself: the path, and the one field of the answer. */
const OF_EACH = /^\/api\/(sessions|tunnels)(?:\?.*)?$/;

export class Everywhere {
  private readonly heard = new Map<string, Heard>();
  private alone = false;

  /** `ask` reaches whoever answers for the page: the router, or a server that stands alone. */
  constructor(private readonly ask: Fetch) {}

  /**
   * As the function that was given, but a list is that of all nodes, with the names of those that did not answer beside
   * it in `silent`; and what is like a session is where that is.
   */
  readonly fetch: Fetch = async (path, how) => {
    const [, field] = OF_EACH.exec(path) ?? [];
    if (field === undefined || this.alone || new URLSearchParams(path.split('?')[1]).has('link')) {
      return this.ask(path, how);
    }
    const answer = await this.ask('/api/nodes', { method: 'GET', cache: 'no-store' });
    if (!answer.ok) return answer;
    const { nodes } = await answer.json() as { nodes: Node[] };
    // One that stands alone never becomes several under the same page.
    this.alone = nodes.length < 2;
    if (how.method === 'POST') return this.ask(this.alone ? path : nodeOf(how) + path, how);
    return this.alone ? this.ask(path, how) : this.ofAll(nodes, path, field, how);
  };

  private async ofAll(nodes: Node[], path: string, field: string, how: RequestInit): Promise<Response> {
    const answers = await Promise.all(
      nodes.map(({ node, up }) => up ? this.ofOne(`/node/${node}${path}`, field, how) : null),
    );
    const silent = nodes.filter((_, index) => answers[index] === null).map(({ node }) => node);
    const lists: { created?: number }[] = [];
    const tags: (string | null)[] = [];
    for (const answer of answers) {
      if (answer instanceof Response) return answer; // a refusal: the same for all
      lists.push(...answer?.entries ?? []);
      tags.push(answer === null ? '' : answer.tag);
    }
    const headers: Record<string, string> = {};
    if (!tags.includes(null)) headers.etag = tags.join(' ');
    if (headers.etag !== undefined && new Headers(how.headers).get('if-none-match') === headers.etag) {
      return new Response(null, { status: 304, headers });
    }
    // A server's own list is in the order in which they were started, too.
    lists.sort((one, other) => (one.created ?? 0) - (other.created ?? 0));
    return Response.json({ [field]: lists, silent }, { headers });
  }

  /** What a node has; null where it does not answer. */
  private async ofOne(path: string, field: string, how: RequestInit): Promise<Heard | Response | null> {
    const before = this.heard.get(path);
    const headers: Record<string, string> = before?.tag ? { 'if-none-match': before.tag } : {};
    let answer;
    try {
      answer = await this.ask(path, { ...how, headers });
    } catch {
      return null;
    }
    if (answer.status === 304 && before !== undefined) return before;
    if (answer.status === 410 || answer.status >= 500) return null;
    if (!answer.ok) return answer;
    const entries = (await answer.json() as Record<string, Heard['entries']>)[field] ?? [];
    const now = { tag: answer.headers.get('etag'), entries };
    this.heard.set(path, now);
    return now;
  }
}

/** What stands before the path of a request for a session like another one: that one's node. */
function nodeOf(how: RequestInit): string {
  const { like } = JSON.parse(String(how.body ?? '{}')) as { like?: string };
  return like === undefined ? '' : `/node/${like.split('.')[0]}`;
}
