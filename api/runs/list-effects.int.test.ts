import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEffectStore } from '../../adapters/postgres/effect-store.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { runId } from '../../domain/identifiers.ts';
import { EFFECT_STATES } from '../../domain/tools/effect.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import { publishWorkflow } from './publish-workflow.ts';

const EFFECTS = `query ($id: ID!, $nodeId: String, $state: [EffectState!], $first: Int) { run(id: $id) {
  effects(nodeId: $nodeId, state: $state, first: $first) {
    key nodeId iteration attempt kind request requestHash receipt state error { code message } startedAt finishedAt
  }
} }`;

describe('the effects of a run through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
    const definition = { name: 'paying', nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }], edges: [] };
    const { tenantId, workflowId, version, hash } = await publishWorkflow(doors, LOCAL_PRINCIPAL, definition);
    for (const id of ['paying-1', 'paying-2']) {
      await insertRun(doors.pool, {
        ...{ id: runId(id), tenantId, workflowId, version, definitionHash: hash, input: {}, idempotencyKey: null },
        createdAt: new Date(),
      });
    }
    await attempt('pay', 'FAILED');
    await attempt('pay', 'RECEIPT');
    await attempt('ship', null);
  }, 60_000);
  afterAll(() => doors.close());

  async function attempt(nodeId: string, state: 'FAILED' | 'RECEIPT' | null): Promise<void> {
    const ledger = createEffectStore(doors.pool);
    const place = { runId: 'paying-1', nodeId, iteration: '1' };
    const request = { method: 'POST', url: 'https://shop.test/' };
    const call = { ...place, key: nodeId, kind: 'http', request, requestHash: 'a'.repeat(64), scheduledAt: 1 };
    const begun = await ledger.begin(call, { onUnknown: 'retry', keyOfChanged: 'other' });
    if (begun.act !== 'call' || state === null) return;
    const error = { code: 'HTTP_UNAVAILABLE', message: 'busy' };
    await ledger.finish(
      place,
      begun.attempt,
      state === 'FAILED' ? { state, error } : { state, receipt: { status: 200 } },
    );
  }
  const effectsOf = async (variables: object) =>
    (await doors.ask(EFFECTS, { id: 'paying-1', ...variables })).data.run.effects;

  it('are listed attempt by attempt', async () => {
    const effects = await effectsOf({});
    expect(effects.map(({ nodeId, attempt: number, state }: any) => [nodeId, number, state])).toEqual([
      ['pay', 1, 'FAILED'],
      ['pay', 2, 'RECEIPT'],
      ['ship', 1, 'STARTED'],
    ]);
    const answered = { finishedAt: expect.any(String), startedAt: expect.any(String) };
    expect(effects[0]).toMatchObject({
      ...answered,
      receipt: null,
      error: { code: 'HTTP_UNAVAILABLE', message: 'busy' },
    });
    expect(effects[1]).toMatchObject({ ...answered, receipt: { status: 200 }, error: null, kind: 'http', key: 'pay' });
    expect(effects[2]).toMatchObject({ receipt: null, error: null, finishedAt: null });
  });

  it('are chosen by node, state and number, and are those of this run alone', async () => {
    expect(await effectsOf({ nodeId: 'ship' })).toHaveLength(1);
    expect(await effectsOf({ state: ['RECEIPT', 'STARTED'] })).toHaveLength(2);
    expect(await effectsOf({ first: 1 })).toHaveLength(1);
    expect(await effectsOf({ id: 'paying-2' })).toEqual([]);
    expect((await doors.ask(EFFECTS, { id: 'paying-1', first: 0 })).errors?.[0].extensions.code).toBe('INPUT_INVALID');
  });

  it('have the states of the domain in the schema', async () => {
    const { data } = await doors.ask('{ __type(name: "EffectState") { enumValues { name } } }');
    expect(data.__type.enumValues.map(({ name }: any) => name)).toEqual([...EFFECT_STATES]);
  });
});
