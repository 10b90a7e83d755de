import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

const NOTES = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
  type Query {
    notes: [Note!]! @requiresScopes(scopes: [["content:read"]])
  }
  type Note @key(fields: "id") {
    id: ID!
    text: String
    size: Int
  }
`;
const ADDRESS = 'http://127.0.0.1:9/graphql';

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors();
}, 120_000);
afterAll(async () => await doors?.close());

describe('the registry of schemas', () => {
  it('tells of nothing before something is published, and gives what the release serves', async () => {
    const { data } = await doors.ask(
      '{ supergraphVersions { version } supergraphVersion { version kind subgraphs { name sdl } supergraphSdl } }',
    );
    expect(data.supergraphVersions).toEqual([]);
    expect(data.supergraphVersion).toMatchObject({ version: 0, kind: 'SEED', subgraphs: [{ name: 'runs' }] });
    const own = data.supergraphVersion.subgraphs[0].sdl;
    expect(await check({ subgraph: 'runs', sdl: own })).toMatchObject({
      unchanged: true,
      composes: true,
      breaks: false,
    });
  });

  it('names why a schema does not compose, with the code of composition and the place', async () => {
    const sdl = 'type Query {\n  notes: [Note!]!\n}\ntype Note @key(fields: "nothing") {\n  id: ID!\n}\n';
    const { problems, composes } = await check({ subgraph: 'notes', sdl, url: ADDRESS });
    expect(composes).toBe(false);
    expect(problems).toEqual([
      {
        code: 'KEY_INVALID_FIELDS',
        message: expect.stringContaining('nothing'),
        places: expect.arrayContaining([{ subgraph: 'notes', line: 4, column: 11 }]),
      },
    ]);
    const broken = await check({ subgraph: 'notes', sdl: 'type Query {\n  a: }', url: ADDRESS });
    expect(broken.problems[0]).toMatchObject({ code: 'INVALID_GRAPHQL', places: [{ line: 2 }] });
    const other = await check({ subgraph: 'notes', sdl: 'type Query { workflows: Int }', url: ADDRESS });
    expect(other.problems.map(({ code }: { code: string }) => code)).toEqual([
      'FIELD_TYPE_MISMATCH',
      'INVALID_FIELD_SHARING',
    ]);
  });

  it('refuses root fields that say nothing of who may use them, and arguments inside @requires', async () => {
    const open = await check({ subgraph: 'notes', sdl: 'type Query { notes: Int }', url: ADDRESS });
    expect(open.problems).toEqual([
      { code: 'PERMISSION_MISSING', message: expect.stringContaining('Query.notes'), places: [] },
    ]);
    const { errors } = await publish({ subgraph: 'notes', sdl: 'type Query { notes: Int }', url: ADDRESS });
    expect(errors?.[0].extensions).toMatchObject({
      code: 'SCHEMA_INVALID',
      problems: [{ code: 'PERMISSION_MISSING' }],
    });
  });

  it('publishes once whatever is published again, in whatever layout, and by however many at once', async () => {
    const answers = await Promise.all(
      [NOTES, NOTES.replaceAll('\n', '\n\n')].map((sdl) => publish({ subgraph: 'notes', sdl, url: ADDRESS })),
    );
    const told = answers.map(({ data }) => data.publishSchema);
    expect(told.map(({ version }) => version.version)).toEqual([2, 2]);
    expect(told.filter(({ published }) => published)).toHaveLength(1);
    const { data } = await doors.ask('{ supergraphVersions { version kind subgraph subgraphs { name } } }');
    expect(data.supergraphVersions).toEqual([
      { version: 2, kind: 'PUBLISH', subgraph: 'notes', subgraphs: [{ name: 'notes' }, { name: 'runs' }] },
      { version: 1, kind: 'SEED', subgraph: 'runs', subgraphs: [{ name: 'runs' }] },
    ]);
  });

  it('names what callers would lose, publishes it only by force, and goes back', async () => {
    const fewer = NOTES.replace('size: Int', 'length: Int!');
    const operations = ['{ notes { id } }', '{ notes { id size } }'];
    const judged = await check({ subgraph: 'notes', sdl: fewer, operations });
    expect(judged).toMatchObject({ composes: true, breaks: true, base: 2 });
    expect(judged.changes[0]).toMatchObject({ type: 'FIELD_REMOVED', severity: 'BREAKING', path: 'Note.size' });
    expect(judged.brokenOperations).toEqual([{ name: '2', message: expect.stringContaining('size') }]);
    const refused = await publish({ subgraph: 'notes', sdl: fewer });
    expect(refused.errors?.[0].extensions).toMatchObject({
      code: 'SCHEMA_BREAKING',
      problems: [{ code: 'BREAKING_CHANGE', path: 'Note.size' }],
    });
    const forced = await publish({ subgraph: 'notes', sdl: fewer, force: true });
    expect(forced.data.publishSchema.version).toMatchObject({ version: 3, forced: true });
    expect((await rollBack(2)).data.rollBackSchema).toMatchObject({
      published: true,
      version: { version: 4, kind: 'ROLLBACK', rolledBackTo: 2 },
    });
    expect((await rollBack(2)).data.rollBackSchema).toMatchObject({ published: false, version: { version: 4 } });
    expect((await check({ subgraph: 'notes', sdl: NOTES })).unchanged).toBe(true);
    expect((await rollBack(99)).errors?.[0].extensions.code).toBe('NOT_FOUND');
    const { rows } = await doors.pool.query<{ type: string }>(
      `SELECT type FROM events WHERE type LIKE 'access.schema%' ORDER BY position`,
    );
    expect(rows.map(({ type }) => type)).toEqual([
      'access.schema_published',
      'access.schema_published',
      'access.schema_rolled_back',
    ]);
  });

  it('refuses names and addresses that cannot be any', async () => {
    for (const input of [
      { subgraph: 'No Name', sdl: NOTES },
      { subgraph: 'notes', sdl: NOTES, url: 'file:///etc/passwd' },
      { subgraph: 'elsewhere', sdl: NOTES },
    ]) {
      expect((await publish(input)).errors?.[0].extensions.code).toBe('INPUT_INVALID');
    }
  });

  it('knows the process that serves a subgraph', async () => {
    const { data } = await doors.ask('{ subgraphs { subgraph url health sdlHash } }');
    expect(data.subgraphs).toEqual([
      {
        subgraph: 'runs',
        url: `${doors.apiUrl}/graphql`,
        health: 'HEALTHY',
        sdlHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });
});

async function check(input: object) {
  const fields = `base unchanged composes breaks problems { code message places { subgraph line column } }
    changes { type severity path } brokenOperations { name message }`;
  const { data, errors } = await doors.ask(
    `query ($input: SchemaInput!) { checkSchema(input: $input) { ${fields} } }`,
    {
      input,
    },
  );
  expect(errors).toBeUndefined();
  return data.checkSchema;
}

const publish = (input: object) =>
  doors.ask(
    `mutation ($input: PublishSchemaInput!) {
      publishSchema(input: $input) { published version { version forced } }
    }`,
    { input },
  );

const rollBack = (version: number) =>
  doors.ask(
    `mutation ($version: Int!) {
      rollBackSchema(version: $version) { published version { version kind rolledBackTo } }
    }`,
    { version },
  );
