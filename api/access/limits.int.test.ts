import { Agent, fetch as send } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chooseOwnPassword, signInRequired, signUp, sure } from '../../tests/access.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';

const DEFINITION = { name: 'one', nodes: [{ id: 'a', type: 'transform', config: { value: '1' } }], edges: [] };
const EXECUTE = 'mutation ($key: String) { executeWorkflow(workflowId: "one", idempotencyKey: $key) { id } }';

type Executed = { data: { executeWorkflow: { id: string } }; errors?: unknown[] };

async function execute(dispatcher: Agent, { gatewayUrl, settings }: Doors): Promise<Executed> {
  const response = await send(`${gatewayUrl}/graphql`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${settings.WEFT_OPERATOR_TOKEN}` },
    body: JSON.stringify({ query: EXECUTE, variables: { key: 'same' } }),
  });
  return (await response.json()) as Executed;
}

describe('limits', () => {
  it('count operations by who asks, aliases one by one, and never the operator', async () => {
    const doors = await openDoors({ ...signInRequired(), RATE_LIMIT_PER_MINUTE: '1', RATE_LIMIT_BURST: '10' });
    try {
      const ada = await signUp(doors, 'ada', ['viewer']);
      const bob = await signUp(doors, 'bob', ['viewer']);
      const twenty = `{ ${Array.from({ length: 20 }, (_, n) => `r${n}: runs { totalCount }`).join(' ')} }`;
      const { errors = [] } = await doors.ask(twenty, {}, ada.token);
      expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['RATE_LIMITED']));
      expect((await doors.ask('{ runs { totalCount } }', {}, ada.token)).errors).toBeDefined();
      expect((await doors.ask('{ runs { totalCount } }', {}, bob.token)).errors).toBeUndefined();
      expect((await doors.ask(twenty)).errors).toBeUndefined();
      const refused = await fetch(`${doors.apiUrl}/runs`, { headers: { authorization: `Bearer ${ada.token}` } });
      expect({ status: refused.status, after: Number(refused.headers.get('retry-after')) > 0 }).toEqual({
        ...{ status: 429, after: true },
      });
    } finally {
      await doors.close();
    }
  }, 60_000);
});

describe('quotas of a tenant', () => {
  let doors: Doors;
  let token: string;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
    const create = 'mutation { createTenant(id: "acme", runsADay: 3) { admin { oneTimePassword } } }';
    const { data } = await sure(doors, create, {});
    ({ token } = await chooseOwnPassword(doors, 'admin', data.createTenant.admin.oneTimePassword, 'acme'));
    await sure(doors, 'mutation ($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: DEFINITION }, token);
  }, 60_000);
  afterAll(() => doors.close());

  it('let begin as many runs a day as it says, however many ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => doors.ask(EXECUTE, {}, token)));
    const codes = answers.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions.code));
    expect(codes).toEqual(Array(5).fill('QUOTA_EXCEEDED'));
  });
});

describe('one idempotency key', () => {
  it('is one run for a thousand requests at once', async () => {
    const doors = await openDoors(signInRequired());
    const agent = new Agent({ connections: 200 });
    try {
      await sure(doors, 'mutation ($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: DEFINITION });
      const answers = await Promise.all(Array.from({ length: 1000 }, () => execute(agent, doors)));
      expect(answers.filter(({ errors }) => errors)).toEqual([]);
      expect(new Set(answers.map(({ data }) => data.executeWorkflow.id)).size).toBe(1);
      const { rows } = await doors.pool.query('SELECT count(*)::int AS count FROM runs');
      expect(rows[0]).toEqual({ count: 1 });
    } finally {
      await agent.close();
      await doors.close();
    }
  }, 120_000);
});
