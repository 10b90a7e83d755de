import type { GraphQLFormattedError } from 'graphql';
import { type CachePolicy, UNCACHEABLE } from '../cache/cache-policy.ts';
import type { CacheScopes, EntityCache, EntityFetch } from '../cache/entity-cache.ts';
import { isJsonObject } from './json-value.ts';
import type { SubgraphAnswer } from './subgraph-answer.ts';

/** Where entities are kept, and for whom. */
export type Keeping = { entities: EntityCache; scopes: CacheScopes };

type Asking = {
  /** Stands for everything but the representations. */
  asked: string;
  representations: readonly string[];
  ask: (representations: readonly string[]) => Promise<SubgraphAnswer>;
  onPolicy: ((policy: CachePolicy) => void) | undefined;
};

/** Asks for the entities that are not kept, and answers as if all had been asked for. */
export async function withKept({ entities, scopes }: Keeping, asking: Asking): Promise<SubgraphAnswer> {
  const { asked, representations, ask, onPolicy } = asking;
  const fetch: EntityFetch = { scopes, asked };
  const found = representations.map((one) => entities.find(fetch, one));
  for (const one of found) if (one !== undefined) onPolicy?.(one.policy);
  const missing = found.flatMap((one, index) => (one === undefined ? [index] : []));
  const kept = () => found.map((one) => (one === undefined ? null : (JSON.parse(one.text) as unknown)));
  if (missing.length === 0) return { data: { _entities: kept() } };
  const since = entities.moment();
  const wanted = missing.map((index) => representations[index] as string);
  const answer = await ask(wanted);
  keep(entities, fetch, wanted, answer, since);
  return missing.length === representations.length ? answer : complete(answer, kept(), missing);
}

function keep(
  entities: EntityCache,
  fetch: EntityFetch,
  wanted: readonly string[],
  { data, errors, policy = UNCACHEABLE }: SubgraphAnswer,
  since: number,
): void {
  const received = data?.['_entities'];
  if (policy.maxAge <= 0 || (errors?.length ?? 0) > 0) return;
  if (!Array.isArray(received) || received.length !== wanted.length) return;
  const found = wanted.flatMap((representation, index) =>
    isJsonObject(received[index]) ? [{ representation, text: JSON.stringify(received[index]) }] : [],
  );
  entities.keep(fetch, found, policy, since);
}

/** Puts what was asked for among what was kept. An answer that is none stays what it is. */
function complete(answer: SubgraphAnswer, all: unknown[], missing: readonly number[]): SubgraphAnswer {
  const { data, errors } = answer;
  const received = data?.['_entities'];
  if (data && (!Array.isArray(received) || received.length !== missing.length)) return answer;
  if (Array.isArray(received)) for (const [at, index] of missing.entries()) all[index] = received[at];
  return { data: { _entities: all }, errors: errors?.map((error) => moved(error, missing)) };
}

function moved(error: GraphQLFormattedError, missing: readonly number[]): GraphQLFormattedError {
  const [root, slot, ...inside] = error.path ?? [];
  const index = typeof slot === 'number' ? missing[slot] : undefined;
  return root === undefined || index === undefined ? error : { ...error, path: [root, index, ...inside] };
}
