import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { type Scenario, readScenarioFile } from '../../domain/authoring/read-scenario.ts';
import { runScript, type ScriptedRun, type Step } from '../../domain/authoring/scenario.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { type CompiledDefinition, compileDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { evolve } from '../../domain/runs/evolve.ts';
import type { Happening } from '../../domain/runs/run-event.ts';
import { executionsOf, initialState, type NodeState, type UndoState } from '../../domain/runs/run-state.ts';
import { ROOT } from '../source-files.ts';
import { type GatedShop, startGatedShop } from './gated-shop.ts';
import type { Stack } from './stack.ts';

const SHOP = 'http://shop.example.org';
const SETTLED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];
const POLL_MS = 150;

export type Example = { definition: WorkflowDefinition; scenarios: readonly Scenario[] };
export type NodeView = { id: string; path: string; status: string; port: string | null; handled: boolean };
/** What a run came to, as far as it does not depend on texts and times of the outside world. */
export type Outcome = {
  status: string;
  output: Json;
  error: { code: string; nodeId: string | null } | null;
  nodes: NodeView[];
  /** Steps that were refused, by code. */
  refused: string[];
  /** What the shop was asked for. */
  calls: string[];
};

export function readExample(name: string): Example {
  const read = (file: string) => parse(readFileSync(join(ROOT, 'samples/nodes', file), 'utf8')) as Json;
  return {
    definition: read(`${name}.yaml`) as unknown as WorkflowDefinition,
    scenarios: readScenarioFile(read(`tests/${name}.yaml`)).scenarios,
  };
}

/** A scenario that is being played on a stack. */
export type Play = {
  readonly runId: string;
  readonly shop: GatedShop;
  /** What people and other systems do, each when the run is where the simulated one is then; and the end. */
  finish(): Promise<Outcome>;
  view(): Promise<Outcome>;
};

export type PlayOptions = { input?: JsonObject; hold?: string | undefined };

export async function play(
  stack: Stack,
  { definition }: Example,
  scenario: Scenario,
  { input = {}, hold }: PlayOptions = {},
): Promise<Play> {
  const shop = await startGatedShop(hold ?? null);
  const script = { ...scenario.script, input: withInput(scenario.script.input, input) };
  const real = placed(script.input, shop.url, script.startAt);
  const runId = await stack.graphql.execute(definition.name, real as object);
  const simulated = runScript(compileDefinition(definition), script);
  const view = async (refused: string[] = []) => outcomeOf(await readRun(stack, runId), refused, shop);
  return {
    runId,
    shop,
    view,
    async finish() {
      const refused: string[] = [];
      for (const step of script.steps) {
        await untilLike(
          stack,
          runId,
          nodesBefore(compileDefinition(definition), simulated, script.startAt + step.afterMs),
        );
        const code = await takeSurely(stack, runId, step);
        if (code !== null) refused.push(code);
      }
      await stack.graphql.until(runId, SETTLED, 80_000);
      await shop.close();
      return view(refused);
    },
  };
}

/** What the simulator says that comes of a scenario. */
export function simulatedOutcome({ definition }: Example, scenario: Scenario, input: JsonObject = {}): Outcome {
  const script = { ...scenario.script, input: withInput(scenario.script.input, input) };
  const { state, dropped, calls, refusals } = runScript(compileDefinition(definition), script);
  return {
    status: state.status,
    output: state.output,
    error: state.error && { code: state.error.code, nodeId: state.error.nodeId },
    nodes: [...dropped, ...executionsOf(state)].map(nodeView).sort(byPlace),
    refused: refusals.map(({ code }) => code),
    calls: calls.flatMap(({ input: asked }) => (isJsonObject(asked) && 'url' in asked ? [callOf(asked)] : [])),
  };
}

const callOf = ({ method, url }: JsonObject): string => `${String(method ?? 'GET')} ${String(url).replace(SHOP, '')}`;

const withInput = (input: Json, more: JsonObject): Json => (isJsonObject(input) ? { ...input, ...more } : input);

const nodeView = (node: NodeState | UndoState): NodeView => ({
  id: node.id,
  path: node.iteration,
  status: node.status,
  port: 'port' in node ? node.port : null,
  handled: 'handled' in node && node.handled,
});

const byPlace = (left: NodeView, right: NodeView): number =>
  `${left.id}#${left.path}` < `${right.id}#${right.path}` ? -1 : 1;

/** The input with the real shop, and with moments as far from now as they are from the start of the scenario. */
function placed(value: Json, shop: string, startAt: number): Json {
  if (Array.isArray(value)) return value.map((one) => placed(one, shop, startAt));
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, placed(one, shop, startAt)]));
  if (value === SHOP) return shop;
  if (startAt === 0 || typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return value;
  return new Date(Date.now() + Date.parse(value) - startAt).toISOString();
}

function nodesBefore(compiled: CompiledDefinition, { events }: ScriptedRun, at: number): NodeView[] {
  const state = events
    .filter((event) => event.at < at)
    .reduce((before, event) => evolve(compiled, before, event), initialState(compiled));
  return executionsOf(state).map(nodeView);
}

type RealRun = Pick<Outcome, 'status' | 'output'> & {
  error: { code: string; nodeId: string | null } | null;
  nodes: (NodeView & { input: Json })[];
};

async function readRun(stack: Stack, id: string): Promise<RealRun> {
  const { data, errors } = await stack.graphql.send<{ run: RealRun }>(
    'query($id: ID!) { run(id: $id) { status output error { code nodeId } nodes { id path status port handled input } } }',
    { id },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.run;
}

function outcomeOf({ status, output, error, nodes }: RealRun, refused: string[], shop: GatedShop): Outcome {
  const views = nodes.map(({ id, path, status: is, port, handled }) => ({ id, path, status: is, port, handled }));
  return { status, output, error, nodes: views.sort(byPlace), refused, calls: shop.calls() };
}

async function untilLike(stack: Stack, runId: string, expected: readonly NodeView[]): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(POLL_MS)) {
    const { nodes } = await readRun(stack, runId);
    const differs = expected.filter(({ id, path, status }) => {
      const found = nodes.find((node) => node.id === id && node.path === path);
      return (found?.status ?? 'PENDING') !== status;
    });
    if (differs.length === 0) return;
    if (Date.now() > deadline) throw new Error(`${runId}: ${JSON.stringify({ differs, nodes })}`);
  }
}

/** Where the worker has just been killed, the answer may take longer than the API waits. */
async function takeSurely(stack: Stack, runId: string, step: Step): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const code = await take(stack, runId, step);
    if (code !== 'TEMPORAL_UNAVAILABLE' || attempt === 5) return code;
  }
}

/** One step of a scenario, by the door that people and other systems have; the code if it is refused. */
async function take(stack: Stack, runId: string, { event }: Step): Promise<string | null> {
  if (event.type === 'webhook.received') return deliver(stack, runId, event.data);
  const [mutation, variables] = mutationOf(runId, event);
  const { errors } = await stack.graphql.send(mutation, variables);
  return errors === undefined ? null : String(errors[0]?.extensions?.['code'] ?? errors[0]?.message);
}

function mutationOf(runId: string, event: Happening): [string, object] {
  switch (event.type) {
    case 'approval.decided':
      return [
        `mutation($runId: ID!, $nodeId: ID!, $decision: ApprovalDecision!, $data: JSON, $by: String) {
          approve(runId: $runId, nodeId: $nodeId, decision: $decision, data: $data, decidedBy: $by) { id } }`,
        { runId, nodeId: event.nodeId, decision: event.decision, data: event.data, by: event.decidedBy },
      ];
    case 'event.received':
      return [
        `mutation($name: String!, $correlation: String, $data: JSON) {
          emitEvent(name: $name, correlation: $correlation, data: $data) { id } }`,
        { name: event.name, correlation: event.correlation, data: event.data },
      ];
    case 'variable.set':
      return [
        `mutation($runId: ID!, $name: String!, $value: JSON, $by: String) {
          setVariable(runId: $runId, name: $name, value: $value, by: $by) { id } }`,
        { runId, name: event.name, value: event.value, by: event.by },
      ];
    case 'run.cancel_requested':
      return ['mutation($runId: ID!) { cancelRun(runId: $runId) { id } }', { runId }];
    default:
      throw new Error(`no example has a step ${event.type}`);
  }
}

/** To the address that the run has told somebody, at the port that the API has here. */
async function deliver(stack: Stack, runId: string, data: Json): Promise<string | null> {
  const { nodes } = await readRun(stack, runId);
  const [link = ''] = /http[^"]+\/hooks\/runs\/[^"]+/.exec(JSON.stringify(nodes.map(({ input }) => input))) ?? [];
  const { pathname, search } = new URL(link);
  const response = await fetch(`http://127.0.0.1:${stack.processes.api.port}${pathname}${search}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(data),
  });
  return response.ok ? null : String(((await response.json()) as { code?: string }).code);
}
