import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection } from '@temporalio/client';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';
import { graphqlClient } from '../../tests/e2e/graphql.ts';

export type SoakLoad = {
  /** Starts runs at the given rate until `signal` says enough, and acts on those that need it. */
  run(rate: number, signal: AbortSignal): Promise<void>;
  readonly started: Readonly<Record<string, number>>;
  /** Requests that were sent again, since a process was dead. */
  again(): number;
};

type LoadParts = {
  url: string;
  connection: Connection;
  namespace: string;
  definitions: readonly WorkflowDefinition[];
};

const PATIENCE_MS = 120_000;

/** Runs of every kind, through the API and from clients that know nothing of it. */
export function createSoakLoad(parts: LoadParts): SoakLoad {
  const { ask, again } = patientApi(parts.url);
  const foreign = new Client({ connection: parts.connection, namespace: parts.namespace });
  const started: Record<string, number> = {};
  const scenarios: Scenarios = { ...apiScenarios(ask, foreign), ...foreignScenarios(foreign, parts.definitions) };
  const bag = Object.entries(scenarios).flatMap(([name, { weight }]) => Array.from({ length: weight }, () => name));
  return {
    started,
    again,
    async run(rate, signal) {
      const acting = new Set<Promise<void>>();
      while (!signal.aborted) {
        const name = bag[Math.floor(Math.random() * bag.length)] as string;
        started[name] = (started[name] ?? 0) + 1;
        const one = carryOut(name, scenarios[name] as Scenario);
        acting.add(one);
        void one.finally(() => acting.delete(one));
        await sleep(1_000 / rate, undefined, { signal }).catch(() => undefined);
      }
      await Promise.all(acting);
    },
  };
}

async function carryOut(name: string, { act }: Scenario): Promise<void> {
  try {
    await act();
  } catch (error) {
    process.stderr.write(`${name}: ${String(error)}\n`);
  }
}

type Answer = { data: any; errors?: unknown };
type Ask = (query: string, variables: object) => Promise<Answer>;
type Scenario = { weight: number; act: () => Promise<unknown> };
type Scenarios = Readonly<Record<string, Scenario>>;

/** Asks until the API answers, whatever it says. */
function patientApi(url: string): { ask: Ask; again: () => number } {
  const graphql = graphqlClient(() => url);
  let again = 0;
  const ask: Ask = async (query, variables) => {
    for (const until = Date.now() + PATIENCE_MS; ; await sleep(500)) {
      try {
        const answer = await graphql.send<any>(query, variables);
        if (!/UNAVAILABLE|INTERNAL/.test(JSON.stringify(answer.errors ?? '')) || Date.now() > until) return answer;
      } catch (error) {
        if (Date.now() > until) throw error;
      }
      again += 1;
    }
  };
  return { ask, again: () => again };
}

function apiScenarios(ask: Ask, foreign: Client): Scenarios {
  const execute = async (workflowId: string, input: object = {}): Promise<string> => {
    const mutation = `mutation($workflowId: ID!, $input: JSON, $key: String) {
      executeWorkflow(workflowId: $workflowId, input: $input, idempotencyKey: $key) { id } }`;
    const { data, errors } = await ask(mutation, { workflowId, input, key: randomUUID() });
    if (!data?.executeWorkflow) throw new Error(`${workflowId} did not start: ${JSON.stringify(errors)}`);
    return data.executeWorkflow.id;
  };
  const end = (verb: 'cancelRun' | 'terminateRun') => async () => {
    const id = await execute('soak-long');
    await sleep(Math.random() * 5_000);
    await ask(`mutation($id: ID!) { ${verb}(runId: $id, reason: "soak") { id } }`, { id });
  };
  const answered = async () => {
    const id = await execute('soak-approval');
    await sleep(500 + Math.random() * 10_000);
    const mutation = 'mutation($id: ID!) { approve(runId: $id, nodeId: "ask", decision: APPROVED) { id } }';
    await untilDone(async () => (await ask(mutation, { id })).errors === undefined);
  };
  return {
    calls: { weight: 5, act: () => execute('soak-calls') },
    map: { weight: 3, act: () => execute('soak-map', { items: [1, 2, 3, 4, 5, 6, 7] }) },
    loop: { weight: 3, act: () => execute('soak-loop') },
    failing: { weight: 2, act: () => execute('soak-fail') },
    approval: { weight: 3, act: answered },
    cancelled: { weight: 1, act: end('cancelRun') },
    terminated: { weight: 1, act: end('terminateRun') },
    timedOut: { weight: 1, act: () => execute('soak-late') },
    subworkflow: { weight: 2, act: () => execute('soak-parent') },
    reset: { weight: 1, act: async () => resetClosed(foreign, await execute('soak-calls')) },
    code: { weight: 1, act: () => execute('soak-hops', { left: 3 }) },
  };
}

async function resetClosed(client: Client, workflowId: string): Promise<void> {
  await client.workflow.result(workflowId).catch(() => undefined);
  await client.workflowService.resetWorkflowExecution({
    ...{ namespace: client.options.namespace, workflowExecution: { workflowId }, reason: 'soak' },
    ...{ requestId: randomUUID(), workflowTaskFinishEventId: 4 as never },
  });
}

/** What the API does not know of before the feed does. */
function foreignScenarios(client: Client, definitions: readonly WorkflowDefinition[]): Scenarios {
  const start = (type: string, args: unknown[]) =>
    client.workflow.start(type, { workflowId: `soak-${randomUUID()}`, taskQueue: 'runs', args });
  const weftDefinition = definitions.find(({ name }) => name === 'soak-calls');
  const terminated = async () => {
    const handle = await start('soakNobodyKnows', [{ any: 'thing' }]);
    await sleep(2_000 + Math.random() * 5_000);
    await handle.terminate('soak');
  };
  return {
    foreignCode: { weight: 1, act: () => start('soakHops', [{ left: 3 }]) },
    foreignRun: {
      weight: 2,
      act: () => start('run', [{ input: {}, interpreterVersion: INTERPRETER_VERSION }, { weftDefinition }]),
    },
    foreignUnknown: { weight: 1, act: terminated },
  };
}

async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(1_000)) if (await attempt()) return;
}
