import { isJsonObject, type Json, type JsonObject } from '../json.ts';

export type AgentNode = { node: JsonObject; index: number; config: JsonObject };

/** The `agent` nodes of a definition, as far as they can be read. */
export function agentNodesOf(definition: unknown): AgentNode[] {
  const nodes = isJsonObject(definition) ? definition['nodes'] : undefined;
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: Json, index) =>
    isJsonObject(node) && node['type'] === 'agent' && typeof node['id'] === 'string'
      ? [{ node, index, config: isJsonObject(node['config']) ? node['config'] : {} }]
      : [],
  );
}

/** The workflow that an agent node runs is named after both; `_` and capitals are not for names of workflows. */
export function agentWorkflowName(definition: string, nodeId: string): string {
  const own = nodeId.replaceAll('_', '--').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${definition}--${own}`;
}

export type AgentPin = { workflow: string; version: number; hash: string };

/** The definition with its agents bound to what was published for them, by the index of their nodes. */
export function pinAgents(definition: Json, pins: ReadonlyMap<number, AgentPin>): Json {
  if (pins.size === 0 || !isJsonObject(definition)) return definition;
  const nodes = (definition['nodes'] as JsonObject[]).map((node, index) => {
    const pin = pins.get(index);
    return pin ? { ...node, config: { ...(isJsonObject(node['config']) ? node['config'] : {}), ...pin } } : node;
  });
  return { ...definition, nodes };
}
