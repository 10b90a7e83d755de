import type { Json } from '../json.ts';
import { compileDefinition, type CompiledDefinition, type CompiledNode } from '../runs/compile.ts';
import type { WorkflowDefinition } from '../runs/definition.ts';
import { evaluateExpression } from '../runs/expression.ts';
import { type FusionReason, fusionPlan } from '../runs/fuse.ts';
import { hasInlineBody } from '../runs/inline-body.ts';
import { LIMITS } from '../runs/limits.ts';
import { costOf, listBound, type NodeCost, passesOf } from './forecast-node.ts';

export type NodeForecast = {
  nodeId: string;
  type: string;
  /** inline, wait, activity, fused, child, container, none. */
  runs: string;
  /** Task queue of an activity. */
  queue: string | null;
  /** In all passes of the containers around it; false in `known` says that it is the engine's limit. */
  executions: { count: number; known: boolean };
  /** Of one execution. */
  cost: NodeCost;
  /** Why it is fused with others or not; null for what is no activity. */
  fusion: FusionReason | null;
};

export type Explanation = {
  workflow: string;
  nodes: NodeForecast[];
  /** At worst: as if every branch was taken and every attempt was needed. */
  atMost: {
    /** In the run's own histories, workflow tasks included. */
    events: number;
    /** In child runs of maps. */
    childEvents: number;
    actions: number;
    /** Values in history; each is at most 16 KB there, larger ones are kept outside. */
    payloads: number;
    payloadBytes: number;
    /** Along the longest path; null where something has no bound. */
    durationMs: number | null;
    modelCalls: number;
    tokens: number | null;
  };
  /** Histories that the run is cut into. */
  continuesAsNew: { afterEvents: number; histories: number };
  /** What makes the forecast loose or open. */
  remarks: string[];
};

const START_AND_END = 5;
/** Larger values are kept in the payload store. */
const INLINE_BYTES = 16_384;
const DEFAULT_HISTORY = 2_000;

/** What a run costs at worst, and where its nodes run, before anything ran. With an input the lists of maps are counted. */
export function explainDefinition(definition: WorkflowDefinition, input?: Json): Explanation {
  const compiled = compileDefinition(definition);
  const fusion = new Map(fusionPlan(compiled).map((reason) => [reason.nodeId, reason]));
  const passes = passesIn(compiled, input);
  const nodes = compiled.nodes.map((node) => forecast(compiled, node, passes, fusion.get(node.id) ?? null));
  const { bounded, remarks } = remarksOf(compiled, nodes, passes);
  const own = nodes.filter((_, index) => !isInChild(compiled, compiled.nodes[index] as CompiledNode, passes));
  const chunks = compiled.nodes.map((node) => chunksOf(compiled, node, passes.get(node.index)?.count ?? 0) * 7);
  const events =
    START_AND_END + sum(own, (node) => node.cost.events * node.executions.count) + chunks.reduce((a, b) => a + b, 0);
  const all = START_AND_END + sum(nodes, (node) => node.cost.events * node.executions.count);
  const payloads = 2 + sum(nodes, (node) => node.cost.payloads * node.executions.count);
  const afterEvents = definition.policies?.continueAsNewAfterEvents ?? DEFAULT_HISTORY;
  const runTimeout = definition.policies?.runTimeoutMs ?? null;
  const longest = bounded ? bodyDuration(compiled, null, passes) : null;
  return {
    workflow: definition.name,
    nodes,
    atMost: {
      events,
      childEvents: all - START_AND_END - sum(own, (node) => node.cost.events * node.executions.count),
      actions: 1 + sum(nodes, (node) => node.cost.actions * node.executions.count),
      payloads,
      payloadBytes: payloads * INLINE_BYTES,
      durationMs: runTimeout === null ? longest : Math.min(runTimeout, longest ?? Infinity),
      modelCalls: sum(nodes, (node) => node.cost.modelCalls * node.executions.count),
      tokens: nodes.some((node) => node.cost.tokens === null)
        ? null
        : sum(nodes, (node) => (node.cost.tokens ?? 0) * node.executions.count),
    },
    continuesAsNew: { afterEvents, histories: Math.ceil(events / afterEvents) },
    remarks,
  };
}

type Passes = ReadonlyMap<number, { count: number; known: boolean }>;

function passesIn(compiled: CompiledDefinition, input: Json | undefined): Passes {
  const itemsOf = (expression: string): number | null =>
    countItems(expression, input) ?? listBound(compiled.definition.input, expression);
  const containers = compiled.nodes.filter((node) => node.row.class === 'container');
  return new Map(containers.map((node) => [node.index, passesOf(node, itemsOf)]));
}

/** Of a list that depends on the input alone, or on nothing. */
function countItems(expression: string, input: Json | undefined): number | null {
  if (/\b(nodes|vars|item|pass)\b/.test(expression) || (input === undefined && /\binput\b/.test(expression)))
    return null;
  try {
    const context = { input: input ?? null, run: {}, vars: {}, bindings: {}, node: () => null };
    const value = evaluateExpression(expression, context);
    return Array.isArray(value) ? value.length : null;
  } catch {
    return null;
  }
}

function forecast(
  compiled: CompiledDefinition,
  node: CompiledNode,
  passes: Passes,
  fusion: FusionReason | null,
): NodeForecast {
  const isHead = fusion?.fused === true && fusion.group[0] === node.id;
  const cost = costOf(node);
  const around = containersAround(compiled, node).map((index) => passes.get(index) ?? { count: 1, known: true });
  return {
    nodeId: node.id,
    type: node.type,
    runs: fusion?.fused === true ? 'fused' : node.row.class,
    queue: node.row.class === 'activity' ? (node.definition.taskQueue ?? node.row.taskQueue ?? null) : null,
    executions: {
      count: around.reduce((product, { count }) => product * count, 1),
      known: around.every(({ known }) => known),
    },
    // One marker for all members, in the workflow task that is open anyway.
    cost:
      fusion?.fused === true
        ? { ...cost, events: isHead ? 4 : 0, actions: isHead ? 1 : 0, payloads: isHead ? 1 : 0 }
        : cost,
    fusion,
  };
}

function containersAround(compiled: CompiledDefinition, node: CompiledNode): number[] {
  const found: number[] = [];
  for (let parent = node.parent; parent !== null; parent = compiled.nodes[parent]?.parent ?? null) found.push(parent);
  return found;
}

const chunksOf = (compiled: CompiledDefinition, node: CompiledNode, count: number): number =>
  node.type === 'map' && count > LIMITS.inlineMapItems && !hasInlineBody(compiled, node)
    ? Math.ceil(count / Number(node.config['chunkSize'] ?? 50))
    : 0;

function isInChild(compiled: CompiledDefinition, node: CompiledNode, passes: Passes): boolean {
  return containersAround(compiled, node).some(
    (index) => chunksOf(compiled, compiled.nodes[index] as CompiledNode, passes.get(index)?.count ?? 0) > 0,
  );
}

function remarksOf(
  compiled: CompiledDefinition,
  nodes: readonly NodeForecast[],
  passes: Passes,
): { bounded: boolean; remarks: string[] } {
  const open = nodes.filter(({ cost }) => cost.unbounded !== null);
  const guesses = compiled.nodes.filter((node) => passes.get(node.index)?.known === false);
  const tokens = nodes.filter(({ cost }) => cost.tokens === null);
  const undone = compiled.nodes.filter((node) => node.definition.undo !== undefined);
  return {
    bounded: open.length === 0,
    remarks: [
      ...open.map(({ nodeId, cost }) => `${nodeId} may take for ever: ${cost.unbounded}`),
      ...guesses.map(
        ({ id }) =>
          `${id} goes over a list whose length is not known; counted as ${LIMITS.mapItems}. Give --input, or maxItems in the schema`,
      ),
      ...tokens.map(({ nodeId }) => `${nodeId} has no maxOutputTokens, so its cost has no bound`),
      ...(undone.length > 0
        ? [`should the run fail, ${undone.map(({ id }) => id).join(', ')} are undone besides`]
        : []),
    ],
  };
}

/** Along the longest path of a body; null where something has no bound. */
function bodyDuration(compiled: CompiledDefinition, container: number | null, passes: Passes): number | null {
  const ends = new Map<number, number>();
  const end = (node: CompiledNode): number => {
    const known = ends.get(node.index);
    if (known !== undefined) return known;
    const before = node.predecessors.map((edge) => end(compiled.nodes[edge.from] as CompiledNode));
    const at = Math.max(0, ...before) + (nodeDuration(compiled, node, passes) ?? 0);
    ends.set(node.index, at);
    return at;
  };
  return Math.max(0, ...(compiled.bodies.get(container) ?? []).map(end));
}

function nodeDuration(compiled: CompiledDefinition, node: CompiledNode, passes: Passes): number | null {
  if (node.row.class !== 'container') return costOf(node).durationMs;
  const body = bodyDuration(compiled, node.index, passes) ?? 0;
  const { count } = passes.get(node.index) ?? { count: 1 };
  const abreast = node.type === 'map' ? Number(node.config['concurrency'] ?? 10) : 1;
  return Math.ceil(count / abreast) * body;
}

const sum = (nodes: readonly NodeForecast[], of: (node: NodeForecast) => number): number =>
  nodes.reduce((total, node) => total + of(node), 0);
