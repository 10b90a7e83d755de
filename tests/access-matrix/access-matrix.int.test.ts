import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { createInternalTokens, type InternalTokens } from '../../adapters/tokens/internal-token.ts';
import { nobody } from '../../api/access/principal.ts';
import { readSchema } from '../../api/graphql/read-schema.ts';
import { OPERATION_PERMISSIONS, operationRule } from '../../domain/access/operation-permissions.ts';
import { ROLES, permissionsOf } from '../../domain/access/roles.ts';
import { signInRequired } from '../access.ts';
import { openDoors, type Doors } from '../doors.ts';
import { everyOperation } from './every-operation.ts';

const schema = buildSubgraphSchema([{ typeDefs: readSchema(new URL('../../api/runs/schema/', import.meta.url)) }]);
const OPERATIONS = everyOperation(schema);
type Answer = { data?: unknown; errors?: { message: string; extensions: { code: string } }[] };

describe('every operation', () => {
  let doors: Doors;
  let tokens: InternalTokens;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
    tokens = createInternalTokens(doors.settings.WEFT_SECRET_KEY);
    await ask('default', ['admin'], 'mutation { createTenant(id: "rival") { tenant { id } } }', {}, true);
  }, 60_000);
  afterAll(() => doors.close());

  it('is in the table, and the table has no other', () => {
    const live = Object.keys(schema.getSubscriptionType()?.getFields() ?? {});
    expect([...new Set([...OPERATIONS.map(({ name }) => name), ...live])].sort()).toEqual(
      Object.keys(OPERATION_PERMISSIONS).sort(),
    );
  });

  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))(
    '%s is refused to nobody and to roles without its permission, and to no other role',
    async (name, { document, variables }) => {
      const rule = operationRule(name);
      const answers = await Promise.all(
        ROLES.map(async (role) => [role, await ask('default', [role], document, variables)] as const),
      );
      for (const [role, { errors }] of answers) {
        const allowed =
          rule === 'public' || rule === 'authenticated' || permissionsOf([role]).some((one) => one === rule);
        const refused = errors?.some(({ message }) => message.endsWith(`it needs ${rule}`)) ?? false;
        expect({ role, refused }).toEqual({ role, refused: !allowed });
      }
      const ofNobody = codeOf(await asNobody(document, variables));
      if (rule === 'public') expect(ofNobody).not.toBe('ACCESS_DENIED');
      else expect(ofNobody).toBe('UNAUTHENTICATED');
    },
  );

  describe('of another tenant', () => {
    let ids: Record<string, string>;
    beforeAll(async () => {
      ids = await things();
    }, 60_000);

    it('no list shows anything', async () => {
      const lists = OPERATIONS.filter(({ kind, ids: names, variables }) => {
        return kind === 'query' && names.length === 0 && Object.keys(variables).length === 0;
      });
      for (const { document } of lists) {
        const text = JSON.stringify(await ask('rival', ['admin'], document, {}));
        for (const id of Object.values(ids)) expect(text).not.toContain(id);
      }
    });

    // What `saveAgent` makes is the rival's own, and the others would find it.
    const naming = OPERATIONS.filter((operation) => operation.ids.length > 0).toSorted(
      (a, b) => Number(a.name === 'saveAgent') - Number(b.name === 'saveAgent'),
    );
    it.each(naming.map((operation) => [operation.name, operation] as const))(
      '%s says the same of what is there as of what is not',
      async (_, { document, variables, ids: names }) => {
        for (const [what, id] of Object.entries(ids)) {
          const fake = `${id.slice(0, -4)}zzzz`;
          const answer = async (given: string) => {
            const filled = { ...variables, ...Object.fromEntries(names.map((name) => [name, given])) };
            return JSON.stringify(await ask('rival', ['admin'], document, filled)).replaceAll(given, 'ID');
          };
          expect({ what, answer: scrub(await answer(id)) }).toEqual({ what, answer: scrub(await answer(fake)) });
        }
      },
    );
  });

  /** One of each kind of thing, in tenant default. */
  async function things(): Promise<Record<string, string>> {
    const make = async (document: string, variables: object = {}) => {
      const { data, errors } = await ask('default', ['admin'], document, variables, true);
      if (errors) throw new Error(JSON.stringify(errors));
      return JSON.stringify(Object.values(data as object)[0]).match(/"id":"([^"]+)"/)?.[1] as string;
    };
    const definition = {
      name: 'secret-workflow',
      nodes: [{ id: 'gate', type: 'approval', config: { title: 'ok?' } }],
      edges: [],
    };
    const workflow = await make('mutation ($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: definition });
    const of = { w: workflow };
    return {
      workflow,
      run: await make('mutation ($w: ID!) { executeWorkflow(workflowId: $w) { id } }', of),
      webhook: await make('mutation ($w: ID!) { createWebhook(workflowId: $w) { webhook { id } } }', of),
      schedule: await make(
        'mutation ($w: ID!) { createSchedule(workflowId: $w, spec: { crons: ["@yearly"] }) { id } }',
        of,
      ),
      trigger: await make('mutation ($w: ID!) { createEventTrigger(event: "e", workflowId: $w) { id } }', of),
      event: await make('mutation { emitEvent(name: "secret-event") { id } }'),
      batch: await make(
        'mutation { startBatch(operation: CANCEL, filter: { workflowId: "none" }, dryRun: true) { id } }',
      ),
      user: await make('mutation { createUser(name: "secret-user", roles: [viewer]) { user { id } } }'),
    };
  }

  async function ask(tenant: string, roles: string[], query: string, variables: object, sure = false): Promise<Answer> {
    const identity = {
      ...nobody('127.0.0.1'),
      ...{ tenantId: tenant, subject: 'somebody', userId: null, kind: 'SERVICE' as const, roles },
      // As of an account there: tenants are the business of the first one.
      permissions: permissionsOf(roles).filter((one) => tenant === 'default' || one !== 'tenants:admin'),
    };
    return send(
      await tokens.sign({ ...identity, kind: sure ? 'OPERATOR' : 'SERVICE' }, 'subgraph:runs'),
      query,
      variables,
    );
  }

  const asNobody = async (query: string, variables: object) =>
    send(await tokens.sign(nobody('127.0.0.1'), 'subgraph:runs'), query, variables);

  async function send(token: string, query: string, variables: object): Promise<Answer> {
    const response = await fetch(`${doors.apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-weft-identity': token },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  }
});

const codeOf = ({ errors }: Answer): string | undefined => errors?.[0]?.extensions.code;

/** What differs by time and chance alone. */
const scrub = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
    .replace(/"(secret|oneTimePassword|accessToken|refreshToken)":"[^"]+"/g, '"$1":"SECRET"');
