import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFeedPages } from '../../adapters/postgres/feed-store.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { evolve } from '../../domain/runs/evolve.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { type SimulatedResult, simulate } from '../../domain/runs/simulate.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';

const order = (url: string, charge = 'charge'): WorkflowDefinition => ({
  name: 'order',
  nodes: [
    { id: charge, type: 'http', config: { url, method: 'POST' } },
    { id: 'ask', type: 'approval', config: { title: 'Ship?' } },
    { id: 'total', type: 'transform', config: { value: `nodes.${charge}.output.body` } },
  ],
  edges: [
    { from: charge, to: 'ask' },
    { from: 'ask', port: 'approved', to: 'total' },
  ],
  output: 'nodes.total.output',
});

const CHECK = `query ($definition: JSON!, $mapping: JSON, $openAfter: String) {
  fleetCheck(workflowId: "order", definition: $definition, mapping: $mapping, openAfter: $openAfter) {
    openTotal openEnd openCounts { continues needMapping repeatEffects } closedCounts { same endDifferently incomparable }
    open(first: 2) { runId version verdict problems { code nodeId suggestions } repeats { nodeId path again } }
    closed(first: 1) { verdict missing differences { what before after } }
  }
}`;

describe('a fleet check', () => {
  let doors: Doors;
  let hash: string;
  beforeAll(async () => {
    doors = await openDoors();
    const publish = 'mutation ($d: JSON!) { publishWorkflow(definition: $d) { version } }';
    await doors.ask(publish, { d: order('https://example.org/') });
    const { rows } = await doors.pool.query<{ hash: string }>('SELECT hash FROM definitions');
    hash = rows[0]?.hash as string;
  }, 60_000);
  afterAll(() => doors.close());

  /** A run as the projector would have written it. */
  async function seed(id: string, results: (nodeId: string) => SimulatedResult | null): Promise<void> {
    const compiled = compileDefinition(order('https://example.org/'));
    const { events } = simulate(compiled, { input: {}, results });
    await insertRun(doors.pool, {
      id: runId(id),
      tenantId: DEFAULT_TENANT,
      workflowId: workflowId('order'),
      version: 1,
      definitionHash: definitionHash(hash),
      input: {},
      idempotencyKey: null,
      createdAt: new Date(),
    });
    let state = initialState(compiled);
    const changed = new ChangedExecutions(compiled, null, state);
    for (const event of events) {
      state = evolve(compiled, state, event);
      changed.folded(state);
    }
    await writeFeedPages(doors.pool, [
      {
        tenantId: DEFAULT_TENANT,
        runId: id,
        temporalRunId: `t-${id}`,
        sequenceBase: 0,
        expectedVersion: 0,
        events: events.map(({ type, at, ...payload }, index) => ({
          version: index + 1,
          type,
          occurredAt: new Date(at),
          payload: payload as unknown as Json,
        })),
        token: null,
        ended: state.closedAt !== null,
        state,
        changedNodes: changed.all(),
        children: [],
      },
    ]);
  }

  it('counts who goes on, who needs a mapping, who would repeat an effect and who would end differently', async () => {
    const charged: SimulatedResult = { output: { status: 200, body: 'paid' } };
    for (let index = 0; index < 3; index += 1) {
      await seed(`waits-${index}`, (id) => (id === 'charge' ? charged : null));
      await seed(`done-${index}`, (id) => (id === 'charge' ? charged : { decision: 'APPROVED' }));
    }
    await seed('charging', () => null);
    const ask = async (definition: WorkflowDefinition, mapping?: object) =>
      (await doors.ask(CHECK, { definition, mapping })).data.fleetCheck;

    const same = await ask({ ...order('https://example.com/'), description: 'the same' });
    expect(same).toEqual({
      openTotal: 4,
      openEnd: null,
      openCounts: { continues: 4, needMapping: 0, repeatEffects: 0 },
      closedCounts: { same: 3, endDifferently: 0, incomparable: 0 },
      open: [],
      closed: [],
    });
    const renamed = await ask(order('https://example.org/', 'pay'));
    expect(renamed.openCounts).toEqual({ continues: 0, needMapping: 1, repeatEffects: 3 });
    expect(renamed.open).toHaveLength(2);
    expect(renamed.open[0]).toMatchObject({
      version: 1,
      verdict: 'REPEATS_EFFECT',
      problems: [{ code: 'RESULT_VANISHED', nodeId: 'charge', suggestions: ['pay'] }],
      repeats: [{ nodeId: 'charge', path: '1', again: ['pay'] }],
    });
    expect(renamed.closedCounts.endDifferently).toBe(3);
    expect(renamed.closed[0].missing).toEqual(['pay']);
    const mapped = await ask(order('https://example.org/', 'pay'), { charge: 'pay' });
    expect(mapped).toMatchObject({ openCounts: { continues: 4 }, closedCounts: { same: 3 } });
    const { errors } = await doors.ask(CHECK, { definition: order('https://example.org/'), mapping: { charge: 7 } });
    expect(errors?.[0].extensions.code).toBe('INPUT_INVALID');
  }, 60_000);

  it('looks at a thousand runs in one request, and at the rest in the next', async () => {
    const charged: SimulatedResult = { output: { status: 200, body: 'paid' } };
    for (let batch = 0; batch < 50; batch += 1) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          seed(`many-${batch}-${index}`, (id) => (id === 'charge' ? charged : null)),
        ),
      );
    }
    const { data } = await doors.ask(CHECK, { definition: order('https://example.org/', 'pay') });
    expect(data.fleetCheck.openTotal).toBe(1_004);
    const looked = ({ openCounts: { continues, needMapping, repeatEffects } }: typeof data.fleetCheck): number =>
      continues + needMapping + repeatEffects;
    expect(looked(data.fleetCheck)).toBe(1_000);
    const next = { definition: order('https://example.org/', 'pay'), openAfter: data.fleetCheck.openEnd };
    const rest = (await doors.ask(CHECK, next)).data.fleetCheck;
    expect([looked(rest), rest.openEnd]).toEqual([4, null]);
    const { errors } = await doors.ask(CHECK, { ...next, openAfter: 'nowhere' });
    expect(errors?.[0].extensions.code).toBe('INPUT_INVALID');
  }, 120_000);
});
