import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { loadSettings } from '../config/load.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import { parseActivityId } from '../domain/runs/activity-id.ts';
import { compileDefinition } from '../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { INTERPRETER_VERSION } from '../domain/runs/messages.ts';
import { NODE_TYPES, type NodeTypeRow } from '../domain/runs/node-types.ts';
import { type GroupInput, runGroup } from '../domain/runs/run-group.ts';
import { type SimulatedResult, simulate } from '../domain/runs/simulate.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import { RANDOM_INPUT, type RandomRun, randomRun } from '../tests/random-definition.ts';
import { createTestDatabase, testTemporal, testWorkflowBundle } from '../tests/servers.ts';

const SAMPLE = 40;
const randomRuns = fc.sample(randomRun({ onNodeFailure: 'drain' }), SAMPLE);
const runOf = (workflowId: string): RandomRun => randomRuns[Number(/^sample-(\d+)/.exec(workflowId)?.[1])] as RandomRun;

let client: Client;
let connection: Connection;
const close: (() => Promise<unknown>)[] = [];

/** The world outside: each activity comes to what the sample says of its node. */
function outcomeOf(nodeId: string): Promise<Json> {
  const result = runOf(activityInfo().workflowExecution?.workflowId ?? '').outcomeOf(nodeId);
  return outputOf(result);
}

async function outputOf(result: SimulatedResult | null): Promise<Json> {
  if (result && 'output' in result) return result.output;
  if (result && 'error' in result) throw ApplicationFailure.nonRetryable(result.error.message, result.error.code);
  throw new Error('no outcome');
}

const scripted = () => outcomeOf(parseActivityId(activityInfo().activityId)?.nodeId ?? '');
const scriptedGroup = (group: GroupInput) =>
  runGroup(
    group,
    async (member) => {
      const result = runOf(activityInfo().workflowExecution?.workflowId ?? '').outcomeOf(member.id);
      if (result && 'error' in result) return { error: { ...result.error, nodeId: member.id }, retryable: false };
      return { output: await outputOf(result) };
    },
    Date.now,
  );

/** What a subworkflow node starts: one that comes to the node's outcome at once. */
function childDefinition(hash: string, random: RandomRun): WorkflowDefinition {
  const nodeId = hash.replace('child_', '');
  const result = random.outcomeOf(nodeId);
  if (result && 'error' in result) {
    const { code, message } = result.error;
    return { name: 'child', nodes: [{ id: 'end', type: 'fail', config: { code, message } }], edges: [] };
  }
  const output = result && 'output' in result ? JSON.stringify(result.output) : 'null';
  return {
    name: 'child',
    nodes: [{ id: 'end', type: 'transform', config: { value: output } }],
    edges: [],
    output: 'nodes.end.output',
  };
}

beforeAll(async () => {
  const [namespace, database] = await Promise.all([createTestNamespace(), createTestDatabase()]);
  const pool = createPool(database.url, 5);
  const { address } = testTemporal();
  const native = await NativeConnection.connect({ address });
  connection = await Connection.connect({ address });
  // Child definitions are told apart by the run that asks, which the source does not know: so by a hash that names both.
  const dataConverter = createDataConverter(loadSettings({}), createPayloadStore(pool), {
    definitions: (hash) => {
      const [sample = '', child = ''] = hash.split('/');
      return Promise.resolve(childDefinition(child, runOf(sample)));
    },
  });
  client = new Client({ connection, namespace, dataConverter });
  const types = Object.entries<NodeTypeRow>(NODE_TYPES).filter(([, row]) => row.class === 'activity');
  const queues = [...new Set(types.map(([, row]) => row.taskQueue ?? 'runs'))];
  const activities = { ...Object.fromEntries(types.map(([type]) => [type, scripted])), 'weft.group': scriptedGroup };
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create({
        connection: native,
        namespace,
        taskQueue,
        dataConverter,
        activities,
        ...(taskQueue === 'runs'
          ? { workflowBundle: testWorkflowBundle(), sinks: { hints: { progressed: { fn: () => undefined } } } }
          : {}),
      }),
    ),
  );
  const running = Promise.all(workers.map((one) => one.run()));
  close.push(async () => {
    for (const one of workers) one.shutdown();
    await running;
    await native.close();
    await connection.close();
    await pool.end();
  });
}, 120_000);

afterAll(async () => {
  for (const end of close) await end();
});

/** A definition's child hashes, made to name the sample too. */
const withSample = (definition: WorkflowDefinition, index: number): WorkflowDefinition => ({
  ...definition,
  nodes: definition.nodes.map((node) =>
    node.type === 'subworkflow'
      ? { ...node, config: { ...node.config, hash: `sample-${index}/child_${node.id}` } }
      : node,
  ),
});

type Seen = { status: string; output: Json; code: string | null };
const told = (seen: Seen): unknown =>
  JSON.parse(
    JSON.stringify(seen)
      .replaceAll(/n\d+#[\d.]+/g, 'event')
      .replaceAll(/"hash":"[^"]*"/g, '"hash":""'),
  );

function simulated(random: RandomRun, definition: WorkflowDefinition): Seen {
  const { state } = simulate(compileDefinition(definition), {
    input: RANDOM_INPUT,
    results: (nodeId) => random.outcomeOf(nodeId),
  });
  return { status: state.status, output: state.output, code: state.error?.code ?? null };
}

async function onTemporal(random: RandomRun, definition: WorkflowDefinition, index: number): Promise<Seen> {
  const handle = await client.workflow.start('run', {
    workflowId: `sample-${index}`,
    taskQueue: 'runs',
    args: [{ input: RANDOM_INPUT, interpreterVersion: INTERPRETER_VERSION }, { weftDefinition: definition }],
    memo: { workflow: 'random', version: 1, definitionHash: 'none' },
  });
  let over = false;
  const ending = handle.result().finally(() => {
    over = true;
  });
  const answering = answerWaits(handle, random, () => over);
  try {
    return { status: 'COMPLETED', output: (await ending) as Json, code: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    return {
      status: 'FAILED',
      output: null,
      code: cause instanceof ApplicationFailure ? (cause.type ?? null) : String(cause),
    };
  } finally {
    await answering;
  }
}

/** People and other systems: they look what waits, and answer it once. */
async function answerWaits(
  handle: Awaited<ReturnType<Client['workflow']['start']>>,
  random: RandomRun,
  over: () => boolean,
): Promise<void> {
  const answered = new Set<string>();
  while (!over()) {
    await sleep(150);
    const state = await handle.query<JsonObject>('state').catch(() => null);
    const bodies = Object.values((state?.['bodies'] ?? {}) as JsonObject);
    const nodes = [state?.['nodes'] ?? {}, ...bodies].flatMap((body) => Object.entries(body as JsonObject));
    for (const [id, node] of nodes) {
      const { status, iteration, type, input } = node as {
        status: string;
        iteration: string;
        type: string;
        input: JsonObject;
      };
      const result = random.outcomeOf(id);
      const key = `${id}#${iteration}`;
      if (status !== 'WAITING' || answered.has(key) || result === null) continue;
      answered.add(key);
      const ref = { nodeId: id, iteration };
      if ('decision' in result) {
        const { decision, comment = null, data = null } = result;
        const request = { ...ref, decision, comment, data, decidedBy: null };
        await handle.executeUpdate('approve', { args: [request] }).catch(() => undefined);
      } else if ('event' in result && type === 'webhook') {
        await handle.executeUpdate('deliver', { args: [{ ...ref, data: result.event }] }).catch(() => undefined);
      } else if ('event' in result) {
        const { event: name, correlation = null } = input as { event: string; correlation?: string };
        await handle.signal('event', { id: key, name, correlation, data: result.event }).catch(() => undefined);
      }
    }
  }
}

describe('the simulator and Temporal', () => {
  it('come to the same outcome of the same definition', async () => {
    const pairs = await Promise.all(
      randomRuns.map(async (random, index) => {
        const definition = withSample(random.definition, index);
        return {
          definition,
          expected: simulated(random, definition),
          real: await onTemporal(random, definition, index),
        };
      }),
    );
    for (const { definition, expected, real } of pairs) {
      expect({ definition, seen: told(real) }).toEqual({ definition, seen: told(expected) });
    }
    expect(new Set(pairs.map(({ real }) => real.status))).toEqual(new Set(['COMPLETED', 'FAILED']));
  }, 240_000);
});
