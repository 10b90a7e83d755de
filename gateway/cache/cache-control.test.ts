import { composeServices } from '@apollo/composition';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import type { Caller } from '../access-policies.ts';
import { createFederation } from '../execute/federation.ts';
import { createPlanGateway } from '../execute/plan-gateway.ts';
import type { SubgraphSource } from '../execute/subgraph-answer.ts';
import type { CachePolicy } from './cache-policy.ts';
import { createEntityCache } from './entity-cache.ts';

type Context = { caller: Caller | undefined };
const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const ITEMS = `${LINK} type Query { item: Item } type Item @key(fields: "id") { id: ID! }`;
const NAMES = `${LINK} type Item @key(fields: "id") { id: ID! name: String }`;
const servers: ApolloServer<Context>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

describe('Cache-Control of an answer', () => {
  it('is the strictest of all fetches', async () => {
    const { ask } = await serve({ items: { maxAge: 60, private: false }, names: { maxAge: 10, private: true } });
    expect((await ask()).cacheControl).toBe('max-age=10, private');
  });

  it('is none as soon as one subgraph says nothing', async () => {
    const { ask } = await serve({ items: { maxAge: 60, private: false } });
    expect((await ask()).cacheControl).toBe('no-store');
  });

  it('is for its caller alone where callers sign in', async () => {
    const shared = { maxAge: 60, private: false };
    const { ask } = await serve({ items: shared, names: shared });
    expect((await ask()).cacheControl).toBe('max-age=60, public');
    expect((await ask(callerOf('acme', 'ann'))).cacheControl).toBe('max-age=60, private');
  });
});

describe('entities that are kept', () => {
  it.each([true, false])('are given to those alone who may see them (private: %p)', async (isPrivate) => {
    const policy = { maxAge: 60, private: isPrivate };
    const { ask, asked } = await serve({ items: policy, names: policy });
    const [ann, bob, eve] = [callerOf('acme', 'ann'), callerOf('acme', 'bob'), callerOf('globex', 'eve')];
    const writer = callerOf('acme', 'wim', ['workflows:write']);
    for (const caller of [ann, bob, eve, writer, ann, bob, eve, writer]) {
      const seen = isPrivate ? caller.scopes?.own : caller.scopes?.shared;
      expect((await ask(caller)).name).toBe(`name for ${seen}`);
    }
    expect(asked()).toBe(isPrivate ? 4 : 3);
  });

  it('are not kept for whoever has not signed in and what is private', async () => {
    const policy = { maxAge: 60, private: true };
    const { ask, asked } = await serve({ items: policy, names: policy });
    const nobody = { ...callerOf('acme', 'nobody'), scopes: { tenantId: 'acme', shared: 'nobody', own: null } };
    await ask(nobody);
    await ask(nobody);
    expect(asked()).toBe(2);
  });
});

function callerOf(tenantId: string, subject: string, permissions: string[] = []): Caller {
  const shared = `${tenantId} ${permissions.join()}`;
  return {
    ...{ kind: 'USER', permissions: new Set(permissions), roles: new Set<string>(), refused: () => {} },
    scopes: { tenantId, shared, own: `${shared} ${subject}` },
  };
}

/** Answers with a name that says for whom it is. */
async function serve(policies: Record<string, CachePolicy>) {
  const { supergraphSdl = '' } = composeServices([
    { name: 'items', url: 'http://items', typeDefs: parse(ITEMS) },
    { name: 'names', url: 'http://names', typeDefs: parse(NAMES) },
  ]);
  let asked = 0;
  const sources = new Map<string, SubgraphSource<Context>>([
    ['items', async () => ({ data: { item: { __typename: 'Item', id: 'a' } }, policy: policies['items'] })],
    [
      'names',
      async (_, { caller }) => {
        asked += 1;
        const whom = policies['names']?.private ? caller?.scopes?.own : caller?.scopes?.shared;
        return { data: { _entities: [{ name: `name for ${whom}` }] }, policy: policies['names'] };
      },
    ],
  ]);
  const entities = createEntityCache(1_000_000);
  const keepingFor = (caller: Caller | undefined) => caller?.scopes && { entities, scopes: caller.scopes };
  const gateway = createPlanGateway(createFederation({ sdl: supergraphSdl, rules: new Map() }), sources, {
    keepingFor,
  });
  const server = new ApolloServer<Context>({ gateway });
  servers.push(server);
  await server.start();
  return {
    asked: () => asked,
    async ask(caller?: Caller) {
      const body = { query: '{ item { name } }' };
      const headers = new HeaderMap([['content-type', 'application/json']]);
      const answer = await server.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: 'POST', headers, search: '', body },
        context: async () => ({ caller }),
      });
      const { data } = JSON.parse(answer.body.kind === 'complete' ? answer.body.string : '{}') as {
        data: { item: { name: string } };
      };
      return { cacheControl: answer.headers.get('cache-control'), name: data.item.name };
    },
  };
}
