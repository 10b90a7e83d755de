import type { JsonObject } from '../json.ts';
import type { EdgeDefinition, NodeDefinition } from '../runs/definition.ts';
import type { AgentTool } from './agent.ts';

/** The calls of a turn, side by side: asked about where that is wanted, made by a node for each tool, brought together at `outcome`. */
export function callNodes(
  tools: readonly AgentTool[],
  concurrency: number,
): { nodes: NodeDefinition[]; edges: EdgeDefinition[] } {
  const map: NodeDefinition = {
    id: 'calls',
    type: 'map',
    parent: 'turns',
    config: {
      items: 'nodes.turn.output.calls',
      concurrency,
      result: { id: 'item.id', name: 'item.name', rule: 'item.rule', outcome: 'nodes.outcome.output' },
    },
  };
  const asked = tools.flatMap((tool, rule) =>
    tool.approval === undefined || tool.approval === 'never' ? [] : [{ tool, rule, id: `ask${rule}` }],
  );
  const inCalls = (node: Omit<NodeDefinition, 'parent'>): NodeDefinition => ({ ...node, parent: 'calls' });
  const nodes = [
    {
      id: 'gate',
      type: 'switch',
      config: {
        cases: [
          { port: 'refuse', when: 'item.refusal != null' },
          ...asked.map(({ tool, rule, id }) => ({ port: id, when: asksWhen(tool, rule) })),
        ],
      },
    },
    { id: 'refused', type: 'transform', config: { value: 'item.refusal' } },
    ...asked.map(({ tool, id }) => approvalOf(tool, id)),
    ...(tools.length === 0 ? [] : toolNodes(tools)),
    { id: 'outcome', type: 'merge' },
  ];
  const edges = [
    { from: 'gate', port: 'refuse', to: 'refused' },
    { from: 'refused', to: 'outcome' },
    ...asked.flatMap(({ id }) => [
      { from: 'gate', port: id, to: id },
      { from: id, port: 'approved', to: 'which' },
      { from: id, port: 'rejected', to: 'outcome' },
      { from: id, port: 'timed_out', to: 'outcome' },
    ]),
    ...(tools.length === 0 ? [{ from: 'gate', port: 'default', to: 'outcome' }] : toolEdges(tools)),
  ];
  return { nodes: [map, ...nodes.map(inCalls)], edges };
}

const asksWhen = ({ approval, when }: AgentTool, rule: number): string =>
  approval === 'always' ? `item.rule == ${rule}` : `item.rule == ${rule} && (${when ?? 'true'})`;

function approvalOf({ assignees, approvalTimeoutMs }: AgentTool, id: string): Omit<NodeDefinition, 'parent'> {
  return {
    id,
    type: 'approval',
    config: {
      title: 'Call {{item.name}}?',
      message: '{{json item.input}}',
      ...(assignees === undefined ? {} : { assignees: JSON.stringify(assignees) }),
      ...(approvalTimeoutMs === undefined ? {} : { timeoutMs: approvalTimeoutMs, onTimeout: 'route' }),
    },
  };
}

function toolNodes(tools: readonly AgentTool[]): Omit<NodeDefinition, 'parent'>[] {
  return [
    {
      id: 'which',
      type: 'switch',
      config: { cases: tools.map((_, rule) => ({ port: `t${rule}`, when: `item.rule == ${rule}` })) },
    },
    ...tools.map((tool, rule) => ({ id: `t${rule}`, ...toolNode(tool) })),
    { id: 'failed', type: 'merge', config: { mode: 'first' } },
    {
      id: 'sure',
      type: 'switch',
      config: { cases: [{ port: 'unknown', when: 'nodes.failed.output.error.code == "EFFECT_UNKNOWN"' }] },
    },
    {
      id: 'settle',
      type: 'approval',
      config: {
        title: 'Has {{item.name}} taken effect?',
        message: 'Nobody knows how this call ended. Approve if it took effect, reject if not.\n{{json item.input}}',
      },
    },
    { id: 'excused', type: 'transform', config: { value: 'nodes.failed.output' } },
  ];
}

function toolEdges(tools: readonly AgentTool[]): EdgeDefinition[] {
  return [
    { from: 'gate', port: 'default', to: 'which' },
    ...tools.flatMap((_, rule) => [
      { from: 'which', port: `t${rule}`, to: `t${rule}` },
      { from: `t${rule}`, port: 'out', to: 'outcome' },
      { from: `t${rule}`, port: 'error', to: 'failed' },
    ]),
    { from: 'failed', to: 'sure' },
    { from: 'sure', port: 'unknown', to: 'settle' },
    { from: 'settle', port: 'approved', to: 'outcome' },
    { from: 'settle', port: 'rejected', to: 'outcome' },
    { from: 'sure', port: 'default', to: 'excused' },
    { from: 'excused', to: 'outcome' },
  ];
}

/** What fails is told to the model, but for what nobody knows the end of: a person says first whether it took effect. */
const ROUTED = { onError: 'route' } as const;

function toolNode(tool: AgentTool): Omit<NodeDefinition, 'id' | 'parent'> {
  if ('mcp' in tool) {
    const config = { server: '{{item.server}}', tool: '{{item.tool}}', arguments: 'item.input', failOnError: false };
    return { type: 'tool.call', config, ...ROUTED };
  }
  if ('node' in tool) return { ...tool.node, ...ROUTED };
  if ('workflow' in tool) {
    const { workflow, version } = tool;
    const pinned = version === undefined ? {} : { version };
    return { type: 'subworkflow', config: { workflow, ...pinned, input: 'item.input' }, ...ROUTED };
  }
  const config: JsonObject = { prompt: '{{item.input.prompt}}', ...tool.agent };
  return { type: 'agent', config, ...ROUTED };
}
