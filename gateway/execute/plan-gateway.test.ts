import { composeServices } from '@apollo/composition';
import { ApolloServer } from '@apollo/server';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { createFederation, type Federation } from './federation.ts';
import { createPlanGateway } from './plan-gateway.ts';
import type { SubgraphFetch } from './subgraph-answer.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';

describe('another supergraph', () => {
  it('is served with the plans in use made beforehand, and ends what is under way on the one before', async () => {
    const planned: string[] = [];
    const before = watched(federationOf('type Query { a(x: Int): Int b: Int }'), planned);
    const after = watched(federationOf('type Query { a(x: Int): Int c: Int }'), planned);
    const slow = Promise.withResolvers<void>();
    const bodies: unknown[] = [];
    const sources = new Map([
      [
        'one',
        async ({ body }: SubgraphFetch) => {
          bodies.push(JSON.parse(body));
          if (body.includes('{b}')) await slow.promise;
          return { data: { a: 1, b: 2, c: 3 } };
        },
      ],
    ]);
    const gateway = createPlanGateway(before, sources);
    const server = new ApolloServer({ gateway });
    await server.start();
    const ask = async (query: string) => {
      const { body } = await server.executeOperation({ query });
      return JSON.parse(JSON.stringify(body.kind === 'single' ? body.singleResult : null)) as unknown;
    };

    expect(await ask('{ a(x: 1) }')).toEqual({ data: { a: 1 } });
    expect(await ask('{ a(x: 2) }')).toEqual({ data: { a: 1 } });
    expect(planned).toEqual(['Int']);
    expect(bodies).toMatchObject([{ variables: { literal_0: 1 } }, { variables: { literal_0: 2 } }]);
    const underWay = ask('{ b }');
    await new Promise((resolve) => setImmediate(resolve));
    await gateway.swap(after);
    const made = planned.length;
    slow.resolve();
    expect(await underWay).toEqual({ data: { b: 2 } });
    expect(await ask('{ a(x: 3) }')).toEqual({ data: { a: 1 } });
    expect(await ask('{ c }')).toEqual({ data: { c: 3 } });
    expect(await ask('{ b }')).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
    expect(planned.length - made).toBe(1);
    await server.stop();
  });
});

function federationOf(sdl: string): Federation {
  const composed = composeServices([{ name: 'one', url: 'http://one', typeDefs: parse(LINK + sdl) }]);
  return createFederation({ sdl: composed.supergraphSdl ?? '', rules: new Map() });
}

/** Notes each document that is planned. */
function watched(federation: Federation, planned: string[]): Federation {
  return {
    ...federation,
    plan(document, options) {
      planned.push(/\bInt\b/.exec(JSON.stringify(document))?.[0] ?? 'none');
      return federation.plan(document, options);
    },
  };
}
