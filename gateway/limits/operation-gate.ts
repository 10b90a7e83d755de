import { GraphQLError, parse } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Admission } from '../authenticate.ts';
import { type LimitName, limitExceeded, type Limits } from './limits.ts';
import { measureDocument, type Measures } from './measure-operation.ts';

/** What callers send, as far as it is looked at here. */
export type GivenOperation = {
  query?: unknown;
  documentId?: unknown;
  extensions?: unknown;
};
/** Looks at an operation before anything else does: what has no text gets one. Gives the error of what may not go on. */
export type OperationGate = {
  admit: (operation: GivenOperation, caller: GateCaller) => Promise<GraphQLError | null>;
  /** Of one request, whose body is an operation or an array of them. */
  admitBody: (body: unknown, caller: GateCaller) => Promise<GraphQLError | null>;
  /** Of a document that was admitted. */
  measuresOf: (query: string) => Measures | null;
};
export type GateCaller = {
  /** Signs, where callers have to sign in, who asks for a document. */
  identity?: ((subgraph: string) => Promise<string>) | undefined;
  tenantId: string;
  /** Whoever runs the servers. */
  isOperator: boolean;
};
export function gateCaller({ identity, tenantId = '', caller }: Pick<Admission, 'identity' | 'tenantId' | 'caller'>) {
  return { identity, tenantId, isOperator: caller?.kind === 'OPERATOR' } satisfies GateCaller;
}

/** Puts the text of a document in the place of its hash, or says why not. */
export type DocumentResolver = (operation: GivenOperation, caller: GateCaller) => Promise<GraphQLError | null>;

const MOST_DOCUMENTS = 5000;
const MEASURED = ['depth', 'fields', 'aliases', 'rootFields', 'directives'] as const;
type Verdict = { problem: GraphQLError | null; measures: Measures | null };

export function createOperationGate(limits: Limits, resolve: DocumentResolver): OperationGate {
  const verdicts = new LRUCache<string, Verdict>({ max: MOST_DOCUMENTS });

  function verdictOn(query: string): Verdict {
    const known = verdicts.get(query);
    if (known !== undefined) return known;
    const verdict = measured(query, limits);
    verdicts.set(query, verdict);
    return verdict;
  }

  async function admit(operation: GivenOperation, caller: GateCaller): Promise<GraphQLError | null> {
    const refused = await resolve(operation, caller);
    if (refused !== null) return refused;
    return typeof operation.query === 'string' ? verdictOn(operation.query).problem : null;
  }

  return {
    admit,
    measuresOf: (query) => verdicts.get(query)?.measures ?? null,
    async admitBody(body, caller) {
      if (!Array.isArray(body)) return typeof body === 'object' && body !== null ? admit(body, caller) : null;
      if (body.length > limits.batch) return limitExceeded('batch', body.length, limits.batch);
      for (const operation of body) {
        const refused = await admit((operation ?? {}) as GivenOperation, caller);
        if (refused !== null) return refused;
      }
      return null;
    },
  };
}

/** What cannot be parsed is left for whoever parses it next, who says what is wrong. */
function measured(query: string, limits: Limits): Verdict {
  try {
    const measures = measureDocument(parse(query, { maxTokens: limits.tokens, noLocation: true }));
    const over = MEASURED.find((name) => measures[name] > limits[name]) satisfies LimitName | undefined;
    return { problem: over === undefined ? null : limitExceeded(over, measures[over], limits[over]), measures };
  } catch (error) {
    const isLong = error instanceof GraphQLError && /more that \d+ tokens/.test(error.message);
    return { problem: isLong ? limitExceeded('tokens', null, limits.tokens) : null, measures: null };
  }
}
