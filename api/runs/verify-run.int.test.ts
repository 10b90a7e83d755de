import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFeedPages } from '../../adapters/postgres/feed-store.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { runId } from '../../domain/identifiers.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import { publishWorkflow } from './publish-workflow.ts';

const VERIFICATION = `query ($id: ID!) { run(id: $id) {
  verification { sound streams events goneValues found { streamId version kind detail } }
} }`;

describe('the verification of a run through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
    const definition = { name: 'whole', nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }], edges: [] };
    const { tenantId, workflowId, version, hash } = await publishWorkflow(doors, LOCAL_PRINCIPAL, definition);
    for (const id of ['whole-1', 'whole-2']) {
      await insertRun(doors.pool, {
        ...{ id: runId(id), tenantId, workflowId, version, definitionHash: hash, input: {}, idempotencyKey: null },
        createdAt: new Date(),
      });
      await writeFeedPages(doors.pool, [
        {
          ...{
            tenantId,
            runId: id,
            temporalRunId: 'link',
            sequenceBase: 0,
            expectedVersion: 0,
            token: null,
            ended: false,
          },
          events: [1, 2, 3].map((at) => ({
            version: at,
            type: 'workflow_task.started',
            occurredAt: new Date(),
            payload: { at },
          })),
          ...{ state: initialState(compileDefinition(definition)), changedNodes: [], children: [] },
        },
      ]);
    }
  }, 60_000);
  afterAll(() => doors.close());

  const verification = async (id: string) => (await doors.ask(VERIFICATION, { id })).data.run.verification;

  it('is sound as long as nobody tampers, and names what was changed', async () => {
    const sound = { sound: true, streams: 1, events: 3, goneValues: 0, found: [] };
    expect(await verification('whole-1')).toEqual(sound);
    await doors.pool.query(`SET LOCAL ROLE NONE;
      ALTER TABLE events DISABLE TRIGGER events_append_only;
      UPDATE events SET payload = '{"at":9}' WHERE version = 2
        AND stream_key = (SELECT stream_key FROM event_streams WHERE run_id = 'whole-1');
      ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only`);
    expect(await verification('whole-1')).toMatchObject({
      sound: false,
      found: [{ streamId: 'run/whole-1/link', version: 2, kind: 'PAYLOAD' }],
    });
    expect(await verification('whole-2')).toEqual(sound);
  });
});
