import type { Json, JsonObject, WorkflowDefinition } from '../../../sdk/src/index.ts';
import { isJsonObject } from '../../../sdk/src/index.ts';

/** A dead worker's activity is given out again after this, instead of the tens of seconds that are usual. */
const HEARTBEAT_MS = 3_000;
const BEATING = ['http', 'content.analyze', 'model.complete'];
const URL_ORIGIN = /^https?:\/\/[^/{}\s]+/;

/** The definition with its calls going to the stub and its heartbeats short; nothing else is changed. */
export function prepareDefinition(definition: WorkflowDefinition, stubHost: string): WorkflowDefinition {
  const prepared = <Node extends { type: string; config?: JsonObject; timeouts?: object }>(node: Node): Node => ({
    ...node,
    ...(node.config === undefined ? {} : { config: redirected(node.type, node.config, stubHost) }),
    ...(BEATING.includes(node.type) ? { timeouts: { ...node.timeouts, heartbeatMs: HEARTBEAT_MS } } : {}),
  });
  return {
    ...definition,
    nodes: definition.nodes.map((node) => {
      const copy = prepared(node);
      return copy.undo ? { ...copy, undo: prepared(copy.undo) } : copy;
    }),
  };
}

function redirected(type: string, config: JsonObject, stubHost: string): JsonObject {
  const { url } = config;
  return type === 'http' && typeof url === 'string' ? { ...config, url: toStub(url, stubHost) } : config;
}

/** An input with the addresses in it leading to the stub. */
export function prepareInput(value: Json, stubHost: string): Json {
  if (typeof value === 'string') return /\s/.test(value) ? value : toStub(value, stubHost);
  if (Array.isArray(value)) return value.map((item) => prepareInput(item, stubHost));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, prepareInput(member, stubHost)]));
}

const toStub = (url: string, stubHost: string) => url.replace(URL_ORIGIN, `http://${stubHost}`);
