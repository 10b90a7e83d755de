import { setTimeout as delay } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { SubgraphAnswer } from '../execute/subgraph-answer.ts';
import { ReaderTooSlow } from './event-queue.ts';
import type { UpstreamOperation } from './resumable.ts';
import { Refused, type UpstreamLink } from './upstream-link.ts';

export type Following = {
  subgraph: string;
  link: UpstreamLink;
  operation: UpstreamOperation;
  variables: Readonly<Record<string, unknown>>;
  /** What goes along to the subgraph: who asks, and the trace. */
  extensions: () => Promise<Record<string, unknown>>;
  onLost: (error: unknown, attempt: number) => void;
};

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** A subgraph that stays away for about two minutes is given up. */
const MOST_ATTEMPTS = 60;

/** The events of a subscription, across lost links: behind the last one told where it can be resumed, else from the start. */
export async function* followUpstream(following: Following, signal: AbortSignal): AsyncGenerator<SubgraphAnswer> {
  const { operation, subgraph } = following;
  let last: unknown = operation.resume?.from(following.variables);
  let current: AsyncGenerator<SubgraphAnswer> | undefined;
  signal.addEventListener('abort', () => void current?.return(undefined), { once: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      current = await subscribe(following, last);
      signal.throwIfAborted();
      for await (const answer of current) {
        attempt = 1;
        yield answer;
        last = (answer.data && operation.resume?.cursorOf(answer.data)) ?? last;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused) {
        yield { errors: error.errors };
        return;
      }
      if (error instanceof ReaderTooSlow) continue;
      following.onLost(error, attempt);
      if (attempt >= MOST_ATTEMPTS) {
        yield { errors: [unreachable(subgraph).toJSON()] };
        return;
      }
      await delay(Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS), undefined, { signal });
    }
  }
}

async function subscribe({ link, operation, variables, extensions }: Following, after: unknown) {
  const place = operation.resume === null || after === undefined ? {} : { [operation.resume.variable]: after };
  return link.subscribe({
    query: operation.query,
    variables: { ...variables, ...place },
    extensions: await extensions(),
  });
}

const unreachable = (subgraph: string): GraphQLError =>
  new GraphQLError(`Subgraph ${subgraph} cannot be reached`, { extensions: { code: 'SUBGRAPH_UNAVAILABLE' } });
