import fc from 'fast-check';
import type { JsonObject } from '../domain/json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../domain/runs/definition.ts';
import { NODE_TYPES, type NodeType, nodeTypeRow, portsOf } from '../domain/runs/node-types.ts';
import type { SimulatedResult } from '../domain/runs/simulate.ts';

/** An agent comes to what its own child run comes to, which no outcome of a node can stand for. */
const NODE_KINDS = (Object.keys(NODE_TYPES) as NodeType[]).filter((type) => type !== 'agent');

type NodePlan = {
  type: NodeType;
  parents: { node: number; port: number }[];
  references: number[];
  flavour: number;
  outcome: number;
  /** Which container it is in, if any. */
  inside: number;
};

const nodePlan: fc.Arbitrary<NodePlan> = fc.record({
  type: fc.constantFrom(...NODE_KINDS),
  parents: fc.array(fc.record({ node: fc.nat(), port: fc.nat() }), { maxLength: 3 }),
  references: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  flavour: fc.nat({ max: 1000 }),
  outcome: fc.nat({ max: 9 }),
  inside: fc.nat(),
});

export type RandomRun = {
  definition: WorkflowDefinition;
  /** What a node's activity or approver answers; the same at any time. */
  outcomeOf: (nodeId: string) => SimulatedResult | null;
};

/** Valid definitions over all node types, and for each node an outcome, some of them failures. */
export function randomRun(
  options: { onNodeFailure?: 'drain' | 'cancel' | 'pause'; maxNodes?: number } = {},
): fc.Arbitrary<RandomRun> {
  const plans = fc.array(nodePlan, { minLength: 1, maxLength: options.maxNodes ?? 14 });
  return plans.map((nodes) => {
    const definition = definitionOf(nodes);
    if (options.onNodeFailure) definition.policies = { ...definition.policies, onNodeFailure: options.onNodeFailure };
    return { definition, outcomeOf: (nodeId) => outcomeOf(nodes[Number(/\d+/.exec(nodeId)?.[0])], nodeId) };
  });
}

function definitionOf(plans: readonly NodePlan[]): WorkflowDefinition {
  const nodes: NodeDefinition[] = [];
  const edges: EdgeDefinition[] = [];
  const before = new Map<string, Set<string>>();
  const add = (plan: NodePlan, id: string, parent: string | undefined): void => {
    const siblings = nodes.filter((node) => node.parent === parent && node.type !== 'note');
    const own = new Set<string>(parent === undefined ? [] : before.get(parent));
    const incoming = new Map<string, EdgeDefinition>();
    for (const chosen of plan.type === 'note' || siblings.length === 0 ? [] : plan.parents) {
      const source = siblings[chosen.node % siblings.length] as NodeDefinition;
      const edge = edgeBetween(source, id, chosen.port);
      if (edge === null) continue;
      incoming.set(`${edge.from} ${edge.port ?? ''}`, edge);
      for (const ancestor of [edge.from, ...(before.get(edge.from) as Set<string>)]) own.add(ancestor);
    }
    before.set(id, own);
    edges.push(...incoming.values());
    nodes.push(nodeOf(plan, id, [...own], parent));
  };
  plans.forEach((plan, index) => {
    const containers = nodes.filter((node) => isContainer(node.type) && depthOf(nodes, node) < 2);
    const parent = plan.inside % 3 === 0 ? undefined : containers[plan.inside % Math.max(1, containers.length)];
    add(plan, `n${index}`, parent?.id);
  });
  for (const container of nodes.filter((node) => isContainer(node.type))) {
    if (nodes.some((node) => node.parent === container.id && node.type !== 'note')) continue;
    const plan = { type: 'transform', parents: [], references: [0], flavour: 2, outcome: 1, inside: 0 } as const;
    add({ ...plan, parents: [], references: [0] }, `body_${container.id}`, container.id);
  }
  const roots = nodes.filter((node) => node.parent === undefined && node.type !== 'note');
  if (roots.length === 0) {
    add({ type: 'transform', parents: [], references: [0], flavour: 0, outcome: 1, inside: 0 }, 'root', undefined);
  }
  const ids = nodes.filter((node) => node.parent === undefined && node.type !== 'note').map((node) => node.id);
  return {
    name: 'random',
    variables: { count: 0, word: 'start' },
    nodes,
    edges,
    output: { last: `nodes.${ids.at(-1)}.output`, first: { status: `nodes.${ids[0]}.status` }, count: 'vars.count' },
  };
}

const isContainer = (type: string): boolean => nodeTypeRow(type as NodeType).class === 'container';

function depthOf(nodes: readonly NodeDefinition[], node: NodeDefinition): number {
  const parent = nodes.find((one) => one.id === node.parent);
  return parent ? 1 + depthOf(nodes, parent) : 0;
}

/** By a port that the source's config does not rule out; null where there is none. */
function edgeBetween(source: NodeDefinition, to: string, choice: number): EdgeDefinition | null {
  const config = source.config ?? {};
  const live = portsOf(source).filter(
    (port) =>
      (port !== 'timed_out' || (config['onTimeout'] === 'route' && config['timeoutMs'] !== undefined)) &&
      (port !== 'rejected' || config['onReject'] !== 'fail') &&
      (port !== 'bound' || config['onBound'] === 'route') &&
      (port !== 'out' || source.type !== 'fail'),
  );
  if (live.length === 0) return null;
  const port = live[choice % live.length] as string;
  return portsOf(source).length === 1 && choice % 2 === 0 ? { from: source.id, to } : { from: source.id, to, port };
}

function nodeOf(plan: NodePlan, id: string, before: readonly string[], parent: string | undefined): NodeDefinition {
  const node: NodeDefinition = { id, type: plan.type, config: configOf(plan, id, before) };
  if (parent !== undefined) node.parent = parent;
  if (plan.type !== 'note' && plan.outcome % 4 === 1) node.onError = plan.outcome === 1 ? 'continue' : 'route';
  if (node.onError === 'continue') node.fallback = '{"instead": true}';
  if (plan.outcome % 3 === 0 && !['note', 'fail', 'branch'].includes(plan.type)) {
    node.undo = { type: 'http', config: { url: 'https://example.org/undo', body: { of: `nodes.${id}.output` } } };
  }
  if (plan.type === 'http' && plan.flavour % 2 === 0) node.fuse = true;
  if (nodeTypeRow(plan.type).class === 'activity' && plan.flavour % 3 === 0) {
    node.retry = {
      maximumAttempts: 1 + (plan.flavour % 5),
      backoffCoefficient: 1.5,
      nonRetryableCodes: ['HTTP_STATUS'],
    };
    node.timeouts = { startToCloseMs: 1000 + plan.flavour };
    node.name = `Node ${id}`;
  }
  return node;
}

/** Where the plan has an answer, the answer is in time; where it has none, the wait is short. */
const timeoutOf = (answered: boolean, flavour: number): number => (answered ? 60_000 : 100 + flavour);

function configOf(plan: NodePlan, id: string, before: readonly string[]): JsonObject {
  return waitConfig(plan, id) ?? containerConfig(plan, before) ?? workConfig(plan, id, before);
}

function waitConfig({ type, flavour, outcome }: NodePlan, id: string): JsonObject | null {
  switch (type) {
    case 'delay':
      return { durationMs: flavour % 2 === 0 ? flavour : 'int(input.n) * 10' };
    case 'until':
      return { at: flavour % 2 === 0 ? `${flavour}` : '"1970-01-01T00:00:01Z"' };
    case 'wait':
      return {
        event: `event_${id}`,
        ...(flavour % 2 === 0 ? { correlation: 'input.name' } : {}),
        timeoutMs: timeoutOf(outcome >= 5, flavour),
        onTimeout: flavour % 3 === 0 ? 'fail' : 'route',
      };
    case 'webhook':
      return { timeoutMs: timeoutOf(outcome >= 5, flavour), onTimeout: flavour % 3 === 0 ? 'fail' : 'route' };
    default:
      return null;
  }
}

function containerConfig({ type, flavour, references }: NodePlan, before: readonly string[]): JsonObject | null {
  switch (type) {
    case 'map':
      return {
        items: flavour % 9 === 0 ? 'input.absent' : `[1, 2, 3, 4].filter(v, v <= ${flavour % 6})`,
        concurrency: 1 + (flavour % 4),
        onItemError: flavour % 2 === 0 ? 'fail' : 'continue',
        ...(flavour % 3 === 0 ? { result: { item: 'item', index: 'index' } } : {}),
      };
    case 'loop':
      return {
        maximumIterations: 1 + (flavour % 4),
        state: '0',
        next: 'pass.state + 1',
        ...(flavour % 2 === 0 ? { while: `pass.index < ${flavour % 5}` } : { until: `pass.state >= ${flavour % 5}` }),
        onBound: flavour % 3 === 0 ? 'fail' : 'route',
      };
    case 'try':
      return flavour % 2 === 0 ? {} : { result: expressionOf(flavour, references, before) };
    default:
      return null;
  }
}

function workConfig(
  { type, flavour, references, outcome }: NodePlan,
  id: string,
  before: readonly string[],
): JsonObject {
  const expression = expressionOf(flavour, references, before);
  const template = templateOf(references, before);
  switch (type) {
    case 'transform':
      return { value: flavour % 2 === 0 ? expression : { left: expression, inner: { right: 'input.n * 2' } } };
    case 'template':
      return { template };
    case 'branch':
      return { condition: flavour % 7 === 0 ? `dyn(${expression})` : `input.n > ${flavour % 10}` };
    case 'merge':
      return { mode: ['object', 'list', 'first'][flavour % 3] as string };
    case 'approval':
      return {
        title: template,
        ...(flavour % 2 === 0 ? { timeoutMs: timeoutOf(outcome >= 4, flavour) } : {}),
        ...(flavour % 2 === 0 ? { onTimeout: ['fail', 'approve', 'reject', 'route'][flavour % 4] as string } : {}),
        ...(flavour % 3 === 0 ? { onReject: flavour % 6 === 0 ? 'fail' : 'route' } : {}),
      };
    case 'switch':
      return {
        cases: [
          { port: 'low', when: 'input.n < 3' },
          { port: 'high', when: flavour % 5 === 0 ? `dyn(${expression})` : `input.n > ${flavour % 10}` },
        ],
      };
    case 'set':
      return { values: flavour % 2 === 0 ? { count: 'vars.count + 1' } : { count: `${flavour}`, word: expression } };
    case 'fail':
      return { code: 'ON_PURPOSE', message: template };
    case 'note':
      return { text: 'A remark.' };
    case 'subworkflow':
      return { workflow: 'other', version: 1, hash: `child_${id}`, input: { given: expression } };
    case 'emit':
      return { event: 'something', correlation: 'input.name', data: { sent: expression } };
    case 'http':
      return {
        url: 'https://example.org/{{encode input.name}}',
        method: flavour % 2 === 0 ? 'GET' : 'POST',
        headers: { 'x-note': template },
        body: { sent: expression },
      };
    case 'content.analyze':
      return { text: `dyn(${expression})`, maxKeywords: 1 + (flavour % 100) };
    case 'model.complete':
      return {
        prompt: 'Say {{json a}} to {{name}}',
        values: { a: expression, name: 'input.name' },
        temperature: flavour / 1000,
      };
    case 'model.embed':
      return { texts: `dyn(${expression})` };
    case 'agent.turn':
    case 'agent.summarize':
      return { messages: `dyn(${expression})` };
    case 'agent.tools':
      return { servers: [{ server: 'everything', rule: 0 }] };
    case 'tool.call':
      return { server: 'everything', tool: 'echo', arguments: { message: expression } };
    default:
      return {};
  }
}

function expressionOf(flavour: number, references: readonly number[], before: readonly string[]): string {
  const id = before[(references[0] as number) % Math.max(1, before.length)];
  const overInput = [
    'input.n + 1',
    '[1, 2, 3].map(v, v * input.n)',
    'input.name + "!"',
    'has(input.absent) ? 1 : 2',
    'input.absent',
  ];
  const overNodes = [
    `nodes.${id}.output`,
    `nodes.${id}.status == "COMPLETED"`,
    `[nodes.${id}.port, nodes.${id}.status]`,
    `nodes.${id}.output == null ? "none" : "some"`,
    `dyn(nodes["${id}"].output).missing.deeper`,
    `{"error": nodes.${id}.error, "again": nodes.${id}.output}`,
  ];
  const choices = id === undefined ? overInput : [...overNodes, ...overInput];
  return choices[flavour % choices.length] as string;
}

function templateOf(references: readonly number[], before: readonly string[]): string {
  const parts = references.map((reference) => {
    const id = before[reference % Math.max(1, before.length)];
    return id === undefined
      ? '{{uppercase input.name}}'
      : `{{nodes.${id}.status}} {{#if nodes.${id}.output}}{{json nodes.${id}.output}}{{else}}-{{/if}}`;
  });
  return `For {{input.name}}: ${parts.join(' ')}`;
}

export const RANDOM_INPUT = { n: 5, name: 'Ada' };

function outcomeOf(plan: NodePlan | undefined, nodeId: string): SimulatedResult | null {
  if (plan === undefined) return null;
  if (nodeId.endsWith('.undo')) return { output: `undid ${nodeId}` };
  if (plan.type === 'wait' || plan.type === 'webhook') return plan.outcome < 5 ? null : { event: { from: nodeId } };
  if (plan.type === 'approval') {
    if (plan.flavour % 2 === 0 && plan.outcome < 4) return null;
    return { decision: plan.outcome % 2 === 0 ? 'APPROVED' : 'REJECTED', comment: `by ${nodeId}`, data: plan.outcome };
  }
  return plan.outcome === 0
    ? { error: { code: 'NODE_FAILED', message: `${nodeId} broke`, hint: null } }
    : { output: { from: nodeId, list: [plan.outcome, plan.flavour] } };
}
