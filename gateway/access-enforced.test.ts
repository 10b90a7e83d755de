import { ApolloServer } from '@apollo/server';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { describe, expect, it } from '@jest/globals';
import { graphql, parse } from 'graphql';
import type { Caller } from './access-policies.ts';
import { accessRules } from './access-rules.ts';
import { createFederation } from './execute/federation.ts';
import { createPlanGateway } from './execute/plan-gateway.ts';
import type { SubgraphAnswer, SubgraphFetch } from './execute/subgraph-answer.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@authenticated", "@requiresScopes", "@policy"])\n`;
const STAFF = `${LINK}
  type Query {
    me: User! @authenticated
    nodes: [Node!]! @policy(policies: [["public"]])
    things: [Thing!]! @policy(policies: [["public"]])
    gem: Gem @policy(policies: [["public"]])
    vault: Vault @policy(policies: [["public"]])
    either: Int @requiresScopes(scopes: [["a", "b"], ["c"]])
  }
  type Mutation { raise: User @authenticated pay: Int @requiresScopes(scopes: [["pay:write"]]) }
  interface Node { id: ID! name: String }
  union Thing = User | Bot | Vault
  type User implements Node @key(fields: "id") {
    id: ID! name: String email: String @authenticated
    salary: Int! @requiresScopes(scopes: [["pay:read"]])
    boss: User
  }
  type Bot implements Node { id: ID! name: String @policy(policies: [["role:admin"]]) }
  type Vault @requiresScopes(scopes: [["vault:read"]]) { code: String level: Level }
  enum Level @requiresScopes(scopes: [["level:read"]]) { HIGH }
  type Gem @key(fields: "id") { id: ID! @authenticated size: Int }`;
const PAYROLL = `${LINK}
  type User @key(fields: "id") {
    id: ID!
    salary: Int! @external
    bonus: Int @requires(fields: "salary") @requiresScopes(scopes: [["pay:read"]])
  }
  type Gem @key(fields: "id") { id: ID! weight: Int }`;

const USER = { __typename: 'User', id: '1', name: 'Ada', email: 'ada@x', salary: 100, boss: { id: '2', salary: 900 } };
const BOT = { __typename: 'Bot', id: 'b', name: 'R2' };
const VAULT = { __typename: 'Vault', code: '0000', level: 'HIGH' };
const ENTITY = {
  User: { bonus: ({ salary }: { salary: number }) => salary / 10 },
  Gem: { weight: ({ id }: { id: string }) => (id === 'g' ? 7 : null) },
};

const supergraph = composed();
const seen: string[] = [];
const refused: string[] = [];

describe('what callers may not have', () => {
  it('is null with an error that names code, path and field; the rest is answered', async () => {
    const answer = await ask('{ me { name salary } nodes { id } }', caller());
    expect(answer).toEqual({
      data: null,
      errors: [
        {
          message: 'Access to User.salary is denied: it needs pay:read',
          path: ['me', 'salary'],
          extensions: { code: 'ACCESS_DENIED', field: 'User.salary', needs: 'pay:read' },
        },
      ],
    });
    expect(refused).toEqual(['User.salary']);
    const { data, errors } = await ask('{ vault { code } gem { id size } }', nobody);
    expect(data).toEqual({ vault: null, gem: null });
    expect(errors.map(({ path }: { path: unknown }) => path)).toEqual([['vault'], ['gem', 'id']]);
    expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  it('never goes to a subgraph', async () => {
    await ask('{ me { name salary bonus boss { salary } } vault { code } }', caller());
    expect(seen.join()).toContain('name');
    expect(seen.join()).not.toMatch(/salary|bonus|code|vault/);
  });

  it('is given to who holds the scopes, one list of them in full', async () => {
    expect(await ask('{ me { salary bonus } }', caller(['pay:read']))).toEqual({
      data: { me: { salary: 100, bonus: 10 } },
    });
    expect((await ask('{ either }', caller(['a']))).errors).toHaveLength(1);
    expect(await ask('{ either }', caller(['a', 'b']))).toEqual({ data: { either: 1 } });
    expect(await ask('{ either }', caller(['c']))).toEqual({ data: { either: 1 } });
  });

  it('has no other name: aliases, fragments, fragments in fragments, directives, variables', async () => {
    const attempts = [
      '{ me { name: salary } }',
      '{ x: me { id y: salary } }',
      '{ me { ...F } } fragment F on User { pay: salary }',
      '{ me { ...F } } fragment F on User { boss { ...G } } fragment G on User { salary }',
      '{ me { ... on Node { ... on User { salary } } } }',
      '{ me { ... @include(if: true) { salary @skip(if: false) } } }',
      'query ($yes: Boolean! = true) { me { salary @include(if: $yes) } }',
      'query A { me { id } } query B { me { salary } }',
      '{ me { id ... @defer { salary } } }',
    ];
    for (const query of attempts) {
      const { errors } = await ask(query, caller(), query.startsWith('query A') ? 'B' : undefined);
      expect({ query, field: errors?.[0].extensions.field }).toEqual({ query, field: 'User.salary' });
    }
    expect(seen.join()).not.toContain('salary');
    expect(await ask('{ me { name salary @skip(if: true) } }', caller())).toEqual({ data: { me: { name: 'Ada' } } });
  });

  it('is not to be had as a field of an interface, where one of its types guards it', async () => {
    const { data, errors } = await ask('{ nodes { id name } }', caller());
    expect(data).toEqual({
      nodes: [
        { id: '1', name: null },
        { id: 'b', name: null },
      ],
    });
    expect(errors).toHaveLength(2);
    expect(await ask('{ nodes { id ... on User { name } } }', nobody)).toEqual({
      data: { nodes: [{ id: '1', name: 'Ada' }, { id: 'b' }] },
    });
    const admin = await ask('{ nodes { name } }', caller([], ['admin']));
    expect(admin).toEqual({ data: { nodes: [{ name: 'Ada' }, { name: 'R2' }] } });
  });

  it('is not to be had through a union; other members are', async () => {
    const { data, errors } = await ask(
      '{ things { __typename ... on User { name } ... on Vault { code } } }',
      caller(),
    );
    expect(data).toEqual({
      things: [{ __typename: 'User', name: 'Ada' }, { __typename: 'Bot' }, { __typename: 'Vault', code: null }],
    });
    expect(errors).toMatchObject([{ path: ['things', 2, 'code'], extensions: { field: 'Vault.code' } }]);
  });

  it('covers every field of a guarded type, and every field that gives a guarded enum', async () => {
    const { errors } = await ask('{ vault { level } }', caller(['vault:read']));
    expect(errors).toMatchObject([{ path: ['vault', 'level'], extensions: { needs: 'level:read' } }]);
    expect(await ask('{ vault { code } }', caller(['vault:read']))).toEqual({ data: { vault: { code: '0000' } } });
  });

  it('may be fetched as a key of something that is allowed, and is not shown', async () => {
    const { data, errors } = await ask('{ gem { size weight } }', nobody);
    expect({ data, errors }).toEqual({ data: { gem: { size: 3, weight: 7 } }, errors: undefined });
    const asked = await ask('{ gem { weight id } }', nobody);
    expect(asked.data).toEqual({ gem: null });
    expect(JSON.stringify(asked)).not.toContain('"g"');
  });

  it('is not to be had as what a field that requires it is computed of', async () => {
    const open = supergraph.replace(
      /(bonus: Int @join__field[^@]*)@requiresScopes\(scopes: \[\["pay:read"\]\]\)/,
      '$1',
    );
    expect(open).not.toBe(supergraph);
    const { errors } = await ask('{ me { bonus } }', caller(), undefined, open);
    expect(errors).toMatchObject([{ path: ['me', 'bonus'], extensions: { code: 'ACCESS_DENIED', needs: 'pay:read' } }]);
  });

  it('keeps a mutation from doing anything at all', async () => {
    const { data, errors } = await ask('mutation { raise { id } pay }', caller());
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ path: ['pay'], extensions: { code: 'ACCESS_DENIED', field: 'Mutation.pay' } }]);
    expect(seen).toEqual([]);
  });

  it('stays in the schema for whoever reads that', async () => {
    const { data } = await ask('{ __type(name: "User") { fields { name } } __typename }', nobody);
    expect(JSON.stringify(data)).toContain('salary');
    expect(seen).toEqual([]);
  });

  it('follows the caller, not the plan that was made first', async () => {
    const query = '{ me { name salary } }';
    expect((await ask(query, caller(['pay:read']))).data).toEqual({ me: { name: 'Ada', salary: 100 } });
    expect((await ask(query, caller())).data).toBeNull();
    expect((await ask(query, nobody)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await ask(query, caller(['pay:read']))).data).toEqual({ me: { name: 'Ada', salary: 100 } });
  });
});

const noted = { refused: (field: string) => void refused.push(field) };
const nobody: Caller = { kind: 'NOBODY', permissions: new Set(), roles: new Set(), ...noted };
function caller(permissions: string[] = [], roles: string[] = []): Caller {
  return { kind: 'USER', permissions: new Set(permissions), roles: new Set(roles), ...noted };
}

function composed(): string {
  const services = [
    { name: 'staff', url: 'http://staff', typeDefs: parse(STAFF) },
    { name: 'payroll', url: 'http://payroll', typeDefs: parse(PAYROLL) },
  ];
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw errors?.[0] ?? new Error('no supergraph');
  return supergraphSdl;
}

const servers = new Map<string, Promise<ApolloServer<{ caller: Caller }>>>();

async function started(sdl: string): Promise<ApolloServer<{ caller: Caller }>> {
  const things = () => [USER, BOT, VAULT];
  const staff = buildSubgraphSchema([
    {
      typeDefs: parse(STAFF),
      resolvers: {
        Query: {
          ...{ me: () => USER, nodes: () => [USER, BOT], things, gem: () => ({ id: 'g', size: 3 }) },
          ...{ vault: () => VAULT, either: () => 1 },
        },
        Mutation: { raise: () => USER, pay: () => 1 },
      },
    },
  ]);
  const payroll = buildSubgraphSchema([{ typeDefs: parse(PAYROLL), resolvers: ENTITY }]);
  const source =
    (schema: typeof staff) =>
    async ({ body }: SubgraphFetch): Promise<SubgraphAnswer> => {
      seen.push(body);
      const { query, variables } = JSON.parse(body) as { query: string; variables: Record<string, unknown> };
      const answer = await graphql({ schema, source: query, variableValues: variables });
      return JSON.parse(JSON.stringify(answer)) as SubgraphAnswer;
    };
  const sources = new Map([
    ['staff', source(staff)],
    ['payroll', source(payroll)],
  ]);
  const gateway = createPlanGateway(createFederation(accessRules(sdl)), sources);
  const server = new ApolloServer<{ caller: Caller }>({ gateway, includeStacktraceInErrorResponses: false });
  await server.start();
  return server;
}

async function ask(query: string, by: Caller, operationName?: string, sdl = supergraph): Promise<any> {
  seen.length = 0;
  refused.length = 0;
  const server = await (servers.get(sdl) ?? servers.set(sdl, started(sdl)).get(sdl));
  const named = operationName === undefined ? {} : { operationName };
  const response = await server?.executeOperation({ query, ...named }, { contextValue: { caller: by } });
  if (response?.body.kind !== 'single') throw new Error('not one answer');
  return JSON.parse(
    JSON.stringify(response.body.singleResult, (key, value: unknown) => (key === 'locations' ? undefined : value)),
  );
}
