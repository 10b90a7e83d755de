import { setTimeout as delay } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { SubgraphAnswer } from '../execute/subgraph-answer.ts';
import { ReaderTooSlow } from './event-queue.ts';
import type { UpstreamOperation } from './resumable.ts';
import { Refused, type UpstreamLink } from './upstream-link.ts';

/** What is followed in a subgraph. */
export type Upstream = {
  subgraph: string;
  link: UpstreamLink;
  operation: UpstreamOperation;
  variables: Readonly<Record<string, unknown>>;
};

export type Following<Followed extends Upstream> = {
  /** Looked at before each subscription to the subgraph; null ends it. */
  upstream: () => Followed | null;
  /** Hears when `upstream` has changed. */
  onChange: (changed: () => void) => void;
  after: string | null;
  /** What goes along to the subgraph: who asks, and the trace. */
  extensions: (subgraph: string) => Promise<Record<string, unknown>>;
  onLost: (subgraph: string, error: unknown, attempt: number) => void;
};

export type Followed<Of extends Upstream> = { answer: SubgraphAnswer; cursor: string | null; upstream: Of };

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** A subgraph that stays away for about two minutes is given up. */
const MOST_ATTEMPTS = 60;

/** The events of a subscription, across lost links: behind the last one told where it can be resumed, else from the start. */
export async function* followUpstream<Of extends Upstream>(
  following: Following<Of>,
  signal: AbortSignal,
): AsyncGenerator<Followed<Of>> {
  let last = following.after;
  let changed = false;
  let current: AsyncGenerator<SubgraphAnswer> | undefined;
  const leave = () => void current?.return(undefined);
  signal.addEventListener('abort', leave, { once: true });
  following.onChange(() => {
    changed = true;
    leave();
  });
  for (let attempt = 1; ; attempt += 1) {
    changed = false;
    const upstream = following.upstream();
    if (upstream === null) return;
    try {
      current = await subscribe(following, upstream, last);
      if (changed || signal.aborted) leave();
      signal.throwIfAborted();
      for await (const answer of current) {
        attempt = 1;
        const cursor = (answer.data && upstream.operation.resume?.cursorOf(answer.data)) ?? null;
        yield { answer, cursor, upstream };
        last = cursor ?? last;
      }
      if (!changed) return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused) {
        yield { answer: { errors: error.errors }, cursor: null, upstream };
        return;
      }
      if (error instanceof ReaderTooSlow) continue;
      following.onLost(upstream.subgraph, error, attempt);
      if (attempt >= MOST_ATTEMPTS) {
        yield { answer: { errors: [unreachable(upstream.subgraph).toJSON()] }, cursor: null, upstream };
        return;
      }
      await delay(Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS), undefined, { signal });
    }
  }
}

async function subscribe<Of extends Upstream>(following: Following<Of>, upstream: Of, after: string | null) {
  const { link, operation, variables, subgraph } = upstream;
  return link.subscribe({
    query: operation.query,
    variables: { ...variables, ...operation.resume?.behind(after) },
    extensions: await following.extensions(subgraph),
  });
}

const unreachable = (subgraph: string): GraphQLError =>
  new GraphQLError(`Subgraph ${subgraph} cannot be reached`, { extensions: { code: 'SUBGRAPH_UNAVAILABLE' } });
