import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { auditSuites } from '../../tests/federation-audit/audit.ts';
import { executeDeferred, type IncrementalPayload } from './execute-deferred.ts';
import { createFederation } from './federation.ts';
import { prepareOperation } from './prepare-operation.ts';
import type { SubgraphAnswer, SubgraphSource } from './subgraph-answer.ts';

const federation = createFederation({
  sdl: auditSuites().find(({ id }) => id === 'parent-entity-call')?.supergraph ?? '',
  rules: new Map(),
});
const product = (id: string) => ({ __typename: 'Product', id, pid: 'p', category: { id: `c${id}` } });

describe('an operation with @defer', () => {
  it('gives first what is not deferred, then each deferred part at its places', async () => {
    const slow = Promise.withResolvers<void>();
    const sources = subgraphs(async () => {
      await slow.promise;
      return { data: { _entities: [1, 2].map((products) => ({ category: { details: { products } } })) } };
    });
    const payloads = run(
      'query { all: products { id category { id } ... @defer(label: "more") { category { details { products } } } } }',
      sources,
    );
    const first = await payloads.next();
    expect(first.value).toEqual({
      data: {
        all: [
          { id: '1', category: { id: 'c1' } },
          { id: '2', category: { id: 'c2' } },
        ],
      },
      hasNext: true,
    });
    slow.resolve();
    expect(await rest(payloads)).toEqual([
      {
        incremental: [
          { data: { category: { details: { products: 1 } } }, path: ['all', 0], label: 'more' },
          { data: { category: { details: { products: 2 } } }, path: ['all', 1], label: 'more' },
        ],
        hasNext: false,
      },
    ]);
  });

  it('gives the errors of a deferred part with the part, and nothing of it for what is null', async () => {
    const sources = subgraphs(async () => ({
      data: { _entities: [null, null] },
      errors: [{ message: 'sold out', path: ['_entities', 1] }],
    }));
    const [first, second] = await rest(
      run('{ products { id ...P @defer } } fragment P on Product { category { details { products } } }', sources),
    );
    expect(first).toEqual({ data: { products: [{ id: '1' }, { id: '2' }] }, hasNext: true });
    expect(JSON.parse(JSON.stringify(second))).toMatchObject({
      incremental: [
        { path: ['products', 0], errors: [{ message: 'sold out', path: ['products', 1] }] },
        { path: ['products', 1] },
      ],
      hasNext: false,
    });
  });

  it('gives everything at once when a condition says not to defer, or when the planner does not defer', async () => {
    const sources = subgraphs(async () => ({
      data: { _entities: [1, 2].map((products) => ({ category: { details: { products } } })) },
    }));
    const query =
      'query ($later: Boolean!) { products { id category { ... @defer(if: $later) { details { products } } } } }';
    const whole = {
      data: {
        products: [
          { id: '1', category: { details: { products: 1 } } },
          { id: '2', category: { details: { products: 2 } } },
        ],
      },
      hasNext: false,
    };
    expect(await rest(run(query, sources, { later: false }))).toEqual([whole]);
    expect(await rest(run(query, sources, { later: true }))).toHaveLength(2);
    const undeferred = prepareOperation(federation, parse(query));
    expect(await rest(executeDeferred(undeferred, { sources, context: null, variables: { later: true } }))).toEqual([
      whole,
    ]);
  });

  it('gives a deferred part inside a deferred part after it', async () => {
    const sources = subgraphs(async () => ({
      data: { _entities: [1, 2].map((products) => ({ category: { details: { products } } })) },
    }));
    const query =
      '{ ... @defer(label: "a") { products { id category { ... @defer(label: "b") { details { products } } } } } }';
    const payloads = await rest(run(query, sources));
    expect(payloads[0]).toEqual({ data: {}, hasNext: true });
    const labels = payloads
      .flatMap((one) => ('incremental' in one ? (one.incremental ?? []) : []))
      .map(({ label }) => label);
    expect(labels).toEqual(['a', 'b', 'b']);
    expect(payloads.at(-1)?.hasNext).toBe(false);
  });
});

function subgraphs(c: () => Promise<SubgraphAnswer>): ReadonlyMap<string, SubgraphSource<null>> {
  const a = async () => ({ data: { products: [product('1'), product('2')], all: [product('1'), product('2')] } });
  return new Map([
    ['a', a],
    ['c', c],
  ]);
}

function run(
  query: string,
  sources: ReadonlyMap<string, SubgraphSource<null>>,
  variables: Record<string, unknown> = {},
) {
  return executeDeferred(prepareOperation(federation, parse(query), { defers: true }), {
    sources,
    context: null,
    variables,
  });
}

async function rest(payloads: AsyncGenerator<IncrementalPayload>): Promise<IncrementalPayload[]> {
  const all: IncrementalPayload[] = [];
  for await (const payload of payloads) all.push(payload);
  return all;
}
