import fc from 'fast-check';
import type { JsonObject } from '../domain/json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../domain/runs/definition.ts';
import { NODE_TYPES, type NodeType, nodeTypeRow } from '../domain/runs/node-types.ts';
import type { SimulatedResult } from '../domain/runs/simulate.ts';

const NODE_KINDS = Object.keys(NODE_TYPES) as NodeType[];

type NodePlan = {
  type: NodeType;
  parents: { node: number; port: number }[];
  references: number[];
  flavour: number;
  outcome: number;
};

const nodePlan: fc.Arbitrary<NodePlan> = fc.record({
  type: fc.constantFrom(...NODE_KINDS),
  parents: fc.array(fc.record({ node: fc.nat(), port: fc.nat() }), { maxLength: 3 }),
  references: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  flavour: fc.nat({ max: 1000 }),
  outcome: fc.nat({ max: 9 }),
});

export type RandomRun = {
  definition: WorkflowDefinition;
  /** What a node's activity or approver answers; the same at any time. */
  outcomeOf: (nodeId: string) => SimulatedResult | null;
};

/** Valid definitions over all node types, and for each node an outcome, some of them failures. */
export function randomRun(
  options: { onNodeFailure?: 'drain' | 'cancel'; maxNodes?: number } = {},
): fc.Arbitrary<RandomRun> {
  const plans = fc.array(nodePlan, { minLength: 1, maxLength: options.maxNodes ?? 14 });
  return plans.map((nodes) => {
    const definition = definitionOf(nodes);
    if (options.onNodeFailure) definition.policies = { ...definition.policies, onNodeFailure: options.onNodeFailure };
    return { definition, outcomeOf: (nodeId) => outcomeOf(nodes[Number(nodeId.slice(1))], nodeId) };
  });
}

function definitionOf(plans: readonly NodePlan[]): WorkflowDefinition {
  const nodes: NodeDefinition[] = [];
  const edges: EdgeDefinition[] = [];
  const ancestors: Set<string>[] = [];
  plans.forEach((plan, index) => {
    const id = `n${index}`;
    const own = new Set<string>();
    const incoming = new Map<string, EdgeDefinition>();
    for (const parent of index === 0 ? [] : plan.parents) {
      const from = parent.node % index;
      const edge = edgeBetween(nodes[from] as NodeDefinition, id, parent.port);
      incoming.set(`${edge.from} ${edge.port ?? ''}`, edge);
      for (const ancestor of [edge.from, ...(ancestors[from] as Set<string>)]) own.add(ancestor);
    }
    ancestors.push(own);
    edges.push(...incoming.values());
    nodes.push(nodeOf(plan, id, [...own]));
  });
  const ids = nodes.map((node) => node.id);
  return {
    name: 'random',
    nodes,
    edges,
    output: { last: `nodes.${ids.at(-1)}.output`, first: { status: 'nodes.n0.status' } },
  };
}

function edgeBetween(source: NodeDefinition, to: string, choice: number): EdgeDefinition {
  const { ports } = nodeTypeRow(source.type as NodeType);
  if (ports.length === 1) return choice % 2 === 0 ? { from: source.id, to } : { from: source.id, to, port: ports[0] };
  const live = ports.filter(
    (port) =>
      (port !== 'timed_out' || source.config?.['onTimeout'] === 'route') &&
      (port !== 'rejected' || source.config?.['onReject'] !== 'fail'),
  );
  return { from: source.id, to, port: live[choice % live.length] as string };
}

function nodeOf(plan: NodePlan, id: string, before: readonly string[]): NodeDefinition {
  const node: NodeDefinition = { id, type: plan.type, config: configOf(plan, before) };
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

function configOf({ type, flavour, references }: NodePlan, before: readonly string[]): JsonObject {
  const expression = expressionOf(flavour, references, before);
  const template = templateOf(references, before);
  switch (type) {
    case 'transform':
      return { value: flavour % 2 === 0 ? expression : { left: expression, inner: { right: 'input.n * 2' } } };
    case 'template':
      return { template };
    case 'branch':
      return { condition: flavour % 7 === 0 ? expression : `input.n > ${flavour % 10}` };
    case 'merge':
      return { mode: ['object', 'list', 'first'][flavour % 3] as string };
    case 'delay':
      return { durationMs: flavour % 2 === 0 ? flavour : 'int(input.n) * 10' };
    case 'approval':
      return {
        title: template,
        ...(flavour % 2 === 0 ? { timeoutMs: 1000 + flavour } : {}),
        ...(flavour % 2 === 0 ? { onTimeout: ['fail', 'approve', 'reject', 'route'][flavour % 4] as string } : {}),
        ...(flavour % 3 === 0 ? { onReject: flavour % 6 === 0 ? 'fail' : 'route' } : {}),
      };
    case 'http':
      return {
        url: 'https://example.org/{{encode input.name}}',
        method: 'POST',
        headers: { 'x-note': template },
        body: { sent: expression },
      };
    case 'content.analyze':
      return { text: expression, maxKeywords: 1 + (flavour % 100) };
    case 'model.complete':
      return {
        prompt: 'Say {{json a}} to {{name}}',
        values: { a: expression, name: 'input.name' },
        temperature: flavour / 1000,
      };
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
    `nodes["${id}"].output.missing.deeper`,
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
  if (plan.type === 'approval') {
    if (plan.flavour % 2 === 0 && plan.outcome < 4) return null;
    return { decision: plan.outcome % 2 === 0 ? 'APPROVED' : 'REJECTED', comment: `by ${nodeId}`, data: plan.outcome };
  }
  return plan.outcome === 0
    ? { error: { code: 'NODE_FAILED', message: `${nodeId} broke`, hint: null } }
    : { output: { from: nodeId, list: [plan.outcome, plan.flavour] } };
}
