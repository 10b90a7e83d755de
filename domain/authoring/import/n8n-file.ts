import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { cannot } from './tokens.ts';

/** A node of n8n, as far as it is read. */
export type N8nNode = {
  name: string;
  /** Without its package: `httpRequest`. */
  type: string;
  version: number;
  parameters: JsonObject;
  disabled: boolean;
  /** stop, continue, or by an output of its own. */
  onError: 'fail' | 'continue' | 'route';
  tries: { count: number; waitMs: number } | null;
  hasCredentials: boolean;
};
/** `output` counts from 0; `error` connections leave by the last output of a node. */
export type N8nEdge = { from: string; output: number; to: string };
export type N8nFile = { name: string; nodes: N8nNode[]; edges: N8nEdge[] };

/** The file as n8n exports it. @throws MAPPING_INVALID for anything else */
export function readN8nFile(value: Json): N8nFile {
  if (!isJsonObject(value) || !Array.isArray(value['nodes']) || !isJsonObject(value['connections'])) {
    throw cannot('a workflow of n8n has nodes and connections');
  }
  const nodes = value['nodes'].filter(isJsonObject).map(readNode);
  const names = new Set(nodes.map(({ name }) => name));
  const edges = Object.entries(value['connections']).flatMap(([from, outputs]) => readEdges(from, outputs));
  return {
    name: typeof value['name'] === 'string' ? value['name'] : 'imported',
    nodes,
    edges: edges.filter((edge) => names.has(edge.from) && names.has(edge.to)),
  };
}

function readNode(node: JsonObject): N8nNode {
  const { maxTries, waitBetweenTries } = node;
  return {
    name: String(node['name'] ?? node['id'] ?? 'node'),
    type:
      String(node['type'] ?? '')
        .split('.')
        .at(-1) ?? '',
    version: typeof node['typeVersion'] === 'number' ? node['typeVersion'] : 1,
    parameters: isJsonObject(node['parameters']) ? node['parameters'] : {},
    disabled: node['disabled'] === true,
    onError: errorPolicy(node),
    tries:
      node['retryOnFail'] === true
        ? {
            count: typeof maxTries === 'number' ? maxTries : 3,
            waitMs: typeof waitBetweenTries === 'number' ? waitBetweenTries : 1_000,
          }
        : null,
    hasCredentials: isJsonObject(node['credentials']) && Object.keys(node['credentials']).length > 0,
  };
}

function errorPolicy(node: JsonObject): N8nNode['onError'] {
  if (node['onError'] === 'continueErrorOutput') return 'route';
  return node['onError'] === 'continueRegularOutput' || node['continueOnFail'] === true ? 'continue' : 'fail';
}

/** `{main: [[{node, type, index}], ...]}`: the outer list counts the outputs. */
function readEdges(from: string, outputs: Json): N8nEdge[] {
  const main = isJsonObject(outputs) && Array.isArray(outputs['main']) ? outputs['main'] : [];
  return main.flatMap((targets, output) =>
    (Array.isArray(targets) ? targets : []).flatMap((target) =>
      isJsonObject(target) && typeof target['node'] === 'string' ? [{ from, output, to: target['node'] }] : [],
    ),
  );
}

export const isTrigger = ({ type }: N8nNode): boolean =>
  type.endsWith('Trigger') || ['webhook', 'cron', 'interval', 'start'].includes(type);
