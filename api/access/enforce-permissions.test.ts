import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, Kind, parse } from 'graphql';
import { OPERATION_PERMISSIONS } from '../../domain/access/operation-permissions.ts';
import { PERMISSIONS } from '../../domain/access/permission.ts';
import { ROLE_PERMISSIONS } from '../../domain/access/roles.ts';
import { tenantId } from '../../domain/identifiers.ts';
import { SUPERGRAPH_FILE } from '../../gateway/supergraph-file.ts';
import { declarePermissions } from '../../adapters/graphql/declare-permissions.ts';
import { enforcePermissions } from './enforce-permissions.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const SDL = `${LINK}
  type Run @key(fields: "id") { id: ID! }
  type Workflow @key(fields: "id") { id: ID! runs: Int }
  type Query { run: Run workflow: Workflow }
  type Mutation { cancelRun: Run }`;
const answers = {
  Query: { run: () => ({ id: 'r' }), workflow: () => ({ id: 'w', runs: 3 }) },
  Mutation: { cancelRun: () => ({ id: 'r' }) },
  Run: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
};
const schema = enforcePermissions(
  buildSubgraphSchema([{ typeDefs: declarePermissions(parse(SDL)), resolvers: answers }]),
);

describe('enforcePermissions', () => {
  it('lets through who has the permission of the operation and nobody else', async () => {
    expect(await ask('{ run { id } }', ['runs:read'])).toEqual({ run: { id: 'r' } });
    expect(await ask('{ again: run { id } }', ['runs:start'])).toEqual('ACCESS_DENIED');
    expect(await ask('mutation { cancelRun { id } }', ['runs:read'])).toEqual('ACCESS_DENIED');
    expect(await ask('fragment F on Query { run { id } } { ...F }', [])).toEqual('ACCESS_DENIED');
  });

  it('asks again where one area leads into another', async () => {
    expect(await ask('{ workflow { id } }', ['workflows:read'])).toEqual({ workflow: { id: 'w' } });
    expect(await ask('{ workflow { id runs } }', ['workflows:read'])).toEqual('ACCESS_DENIED');
    expect(await ask('{ workflow { runs } }', ['workflows:read', 'runs:read'])).toEqual({ workflow: { runs: 3 } });
  });

  it('asks for each entity that is fetched by key', async () => {
    const entities = '{ _entities(representations: [{ __typename: "Run", id: "1" }]) { ... on Run { id } } }';
    expect(await ask(entities, ['runs:read'])).toEqual({ _entities: [{ id: '1' }] });
    expect(await ask(entities, ['workflows:read'])).toEqual('ACCESS_DENIED');
  });

  it('refuses a schema with an operation or an entity that has no row', () => {
    const undeclared = (sdl: string) => () => enforcePermissions(buildSubgraphSchema(parse(`${LINK} ${sdl}`)));
    expect(undeclared('type Query { dropEverything: Int }')).toThrow('dropEverything');
    expect(undeclared('type Query { run: Secret } type Secret @key(fields: "id") { id: ID! }')).toThrow(
      'entity Secret',
    );
    expect(() => declarePermissions(parse('type Query { dropEverything: Int }'))).toThrow('dropEverything');
  });

  async function ask(source: string, permissions: (typeof PERMISSIONS)[number][]) {
    const principal = { tenantId: tenantId('t'), subject: 'me', kind: 'USER', permissions };
    const { data, errors } = await graphql({ schema, source, contextValue: { principal } });
    const code = (errors?.[0]?.originalError as { code?: string } | undefined)?.code;
    return errors ? (code ?? errors[0]?.message) : JSON.parse(JSON.stringify(data));
  }
});

describe('the table of operations', () => {
  it('has a row for every root field of the composed graph, and no other', () => {
    const fields = parse(readFileSync(SUPERGRAPH_FILE, 'utf8')).definitions.flatMap((definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION &&
      ['Query', 'Mutation', 'Subscription'].includes(definition.name.value)
        ? (definition.fields ?? []).map((field) => field.name.value)
        : [],
    );
    expect([...new Set(fields)].sort()).toEqual(Object.keys(OPERATION_PERMISSIONS).sort());
  });

  it('gives no role a permission that does not exist, and the admin all of them', () => {
    for (const held of Object.values(ROLE_PERMISSIONS)) expect(PERMISSIONS).toEqual(expect.arrayContaining([...held]));
    expect(ROLE_PERMISSIONS.admin).toEqual(PERMISSIONS);
  });
});
