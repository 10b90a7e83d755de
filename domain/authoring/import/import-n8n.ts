import { AppError } from '../../errors.ts';
import { isJsonObject, type Json } from '../../json.ts';
import type { NodeDefinition } from '../../runs/definition.ts';
import { type Assembly, idOf, type ImportResult, literal, nameOf, newAssembly, placeholder } from './imported.ts';
import { javascriptToCel } from './javascript-to-cel.ts';
import { isTrigger, type N8nEdge, type N8nFile, type N8nNode, readN8nFile } from './n8n-file.ts';
import { importN8nNode, type NodeImport, type NodeReading } from './n8n-node.ts';
import { n8nTrigger } from './n8n-trigger.ts';
import { templatePath } from './tokens.ts';

type Placed = {
  id: string;
  /** Where the data of what follows is. */
  data: string;
  ports: readonly (string | null)[];
};
type Import = Assembly & {
  file: N8nFile;
  byName: ReadonlyMap<string, N8nNode>;
  placed: Map<string, Placed>;
  ids: Set<string>;
  /** Body of which loop a node is in. */
  bodies: ReadonlyMap<string, string>;
};

/** A workflow of n8n as a definition, and everything that is not the same. @throws MAPPING_INVALID for another file */
export function importN8n(value: Json): ImportResult {
  const file = readN8nFile(value);
  const byName = new Map(file.nodes.map((node) => [node.name, node]));
  const bodies = loopBodies(file, byName);
  const work: Import = { ...newAssembly(), file, byName, placed: new Map(), ids: new Set(), bodies };
  for (const node of file.nodes) if (isTrigger(node)) work.triggers.push(n8nTrigger(node, nameOf(file.name)));
  for (const node of inOrder(work)) place(work, node);
  if (file.nodes.length > 0) {
    const reason = 'n8n runs a node once for each item; here it runs once, with one value';
    work.unmapped.push({ node: '', reason, todo: 'Put what has to run for each element into a map.' });
  }
  if (work.nodes.length === 0) work.nodes.push({ id: 'nothing', type: 'transform', config: { value: 'input' } });
  const { nodes, edges, unmapped, triggers } = work;
  return { definition: { name: nameOf(file.name), nodes, edges }, unmapped, triggers };
}

const isLoop = (node: N8nNode | undefined): boolean => node?.type === 'splitInBatches';
/** Since version 3 a loop gives what is done first, then each batch. */
const batchOutput = (node: N8nNode): number => (node.version >= 3 ? 1 : 0);

/** Which nodes stand between a loop's batches and the way back to it. */
function loopBodies(file: N8nFile, byName: ReadonlyMap<string, N8nNode>): Map<string, string> {
  const bodies = new Map<string, string>();
  for (const loop of file.nodes.filter(isLoop)) {
    const open = file.edges
      .filter((edge) => edge.from === loop.name && edge.output === batchOutput(loop))
      .map(({ to }) => to);
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === loop.name || bodies.has(name) || isTrigger(byName.get(name) as N8nNode)) continue;
      bodies.set(name, loop.name);
      open.push(...file.edges.filter((edge) => edge.from === name).map(({ to }) => to));
    }
  }
  return bodies;
}

/** Forward edges alone: those back to a loop are what the map is. */
function forwardInto(work: Import, name: string): N8nEdge[] {
  const loop = work.byName.get(name);
  return work.file.edges.filter((edge) => edge.to === name && !(isLoop(loop) && work.bodies.get(edge.from) === name));
}

function inOrder(work: Import): N8nNode[] {
  const order: N8nNode[] = [];
  const left = new Set(work.file.nodes.filter((node) => !isTrigger(node)));
  while (left.size > 0) {
    const before = [...left];
    const ready = before.find((node) =>
      forwardInto(work, node.name).every(({ from }) => !left.has(work.byName.get(from) as N8nNode)),
    );
    const next = ready ?? before[0];
    if (next === undefined) break;
    if (ready === undefined) {
      work.unmapped.push({
        node: next.name,
        reason: 'it is in a cycle that is no loop over items',
        todo: 'Build the cycle as a loop node.',
      });
    }
    left.delete(next);
    order.push(next);
  }
  return order;
}

function place(work: Import, node: N8nNode): void {
  const id = idOf(node.name, work.ids);
  work.ids.add(id);
  const loop = work.bodies.get(node.name);
  const parent = loop === undefined ? {} : { parent: work.placed.get(loop)?.id ?? '' };
  if (node.type === 'stickyNote') {
    work.nodes.push({ id, ...parent, type: 'note', config: { text: String(node.parameters['content'] ?? '') } });
    return;
  }
  const data = enter(work, node, id, parent);
  const reading = readingOf(work, node, id, data);
  const imported = tryImport(work, node, reading, id);
  const values = reading.extra();
  const definition: NodeDefinition = {
    id,
    ...parent,
    type: imported.type,
    name: node.name,
    ...(imported.config === undefined ? {} : { config: imported.config }),
    ...(imported.type === 'http' ? policiesOf(node) : {}),
  };
  if (values !== null) insertValues(work, id, parent, values);
  work.nodes.push(definition);
  const output = imported.data === null ? data : `nodes.${id}.${imported.data}`;
  const ports = imported.type === 'http' && node.onError === 'route' ? [...imported.ports, 'error'] : imported.ports;
  work.placed.set(node.name, { id, data: output, ports });
}

function policiesOf(node: N8nNode): Partial<NodeDefinition> {
  return {
    ...(node.tries === null
      ? {}
      : {
          retry: {
            maximumAttempts: Math.min(100, node.tries.count),
            initialIntervalMs: Math.max(1, node.tries.waitMs),
            backoffCoefficient: 1,
            maximumIntervalMs: Math.max(1, node.tries.waitMs),
          },
        }),
    ...(node.onError === 'fail' ? {} : { onError: node.onError }),
  };
}

/** Null where the way begins: at a trigger, or in the body of a loop. */
type Source = { from: { from: string; port: string } | null; data: string };

/** Edges into a node, over a merge where there are several; gives where its data is. */
function enter(work: Import, node: N8nNode, id: string, parent: { parent?: string }): string {
  const loop = work.bodies.get(node.name);
  const sources = forwardInto(work, node.name).flatMap((edge): Source[] => {
    if (edge.from === loop) return [{ from: null, data: 'item' }];
    const source = work.byName.get(edge.from);
    if (source !== undefined && isTrigger(source)) return [{ from: null, data: 'input' }];
    const placed = work.placed.get(edge.from);
    if (placed === undefined || work.bodies.get(edge.from) !== loop) return [];
    const port = isLoop(source) ? 'out' : placed.ports[edge.output];
    return port === undefined || port === null ? [] : [{ from: { from: placed.id, port }, data: placed.data }];
  });
  const nodes = sources.flatMap(({ from }) => (from === null ? [] : [from]));
  const several = nodes.length > 1 && node.type !== 'merge';
  const target = several ? idOf(`${id} in`, work.ids) : id;
  if (several) {
    work.ids.add(target);
    work.nodes.push({ id: target, ...parent, type: 'merge', config: { mode: 'first' } });
    work.edges.push({ from: target, to: id });
  }
  for (const { from, port } of nodes)
    work.edges.push({ from, to: target, ...(port === 'out' && !hasSeveralPorts(work, from) ? {} : { port }) });
  if (several && new Set(sources.map(({ data }) => data)).size > 1) return `nodes.${target}.output`;
  return sources[0]?.data ?? 'input';
}

function hasSeveralPorts(work: Import, id: string): boolean {
  const node = work.nodes.find((one) => one.id === id);
  return node !== undefined && (['branch', 'switch', 'webhook'].includes(node.type) || node.onError === 'route');
}

function tryImport(work: Import, node: N8nNode, reading: NodeReading, id: string): NodeImport {
  if (node.disabled) {
    work.unmapped.push({
      node: node.name,
      reason: 'it is disabled',
      todo: 'It passes on what comes in; remove it, or import it enabled.',
    });
    return { type: 'transform', config: { value: reading.data }, ports: ['out', 'out'], data: 'output' };
  }
  try {
    if (isLoop(node)) {
      reading.remark('its items have to be a list', `Check config.items of ${id}.`);
      return { type: 'map', config: { items: reading.data, concurrency: 1 }, ports: ['out', 'out'], data: 'output' };
    }
    return importN8nNode(node, reading);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const reason = String(error.fields['detail'] ?? error.message);
    work.unmapped.push({ node: node.name, reason, todo: `Replace node ${id}, which fails when a run comes to it.` });
    const { type, config } = placeholder(id, node.name, reason);
    return { type, ...(config === undefined ? {} : { config }), ports: ['out', 'out'], data: 'output' };
  }
}

type Reading = NodeReading & { extra: () => { [name: string]: string } | null };

function readingOf(work: Import, node: N8nNode, id: string, data: string): Reading {
  const values: { [name: string]: string } = {};
  const valuesId = `${id}Values`;
  const scope = { data, nodeData: (name: string) => dataOfNode(work, name) };
  const toCel = (value: Json): string => {
    if (Array.isArray(value)) return `[${value.map(toCel).join(', ')}]`;
    if (isJsonObject(value))
      return `{${Object.entries(value)
        .map(([key, inner]) => `${JSON.stringify(key)}: ${toCel(inner)}`)
        .join(', ')}}`;
    if (typeof value !== 'string' || !value.startsWith('=')) return literal(value);
    const parts = partsOf(value.slice(1)).map(({ text, isExpression }) => ({
      isExpression,
      cel: isExpression ? javascriptToCel(text, scope) : JSON.stringify(text),
    }));
    if (parts.length === 1) return parts[0]?.cel ?? '""';
    return parts.map(({ cel, isExpression }) => (isExpression ? `string(${cel})` : cel)).join(' + ') || '""';
  };
  const toTemplate = (value: Json): string => {
    if (typeof value !== 'string') return typeof value === 'object' ? JSON.stringify(value) : String(value);
    if (!value.startsWith('=')) return value.replaceAll('{{', '\\{{');
    return partsOf(value.slice(1))
      .map(({ text, isExpression }) => {
        if (!isExpression) return text;
        const cel = javascriptToCel(text, scope);
        const path = templatePath(cel);
        if (path !== null) return `{{${path}}}`;
        const name = `value${Object.keys(values).length}`;
        values[name] = cel;
        return `{{nodes.${valuesId}.output.${name}}}`;
      })
      .join('');
  };
  const remark = (reason: string, todo: string) => void work.unmapped.push({ node: node.name, reason, todo });
  return { toCel, toTemplate, data, remark, extra: () => (Object.keys(values).length === 0 ? null : values) };
}

/** `text {{ expression }} text` */
function partsOf(text: string): { text: string; isExpression: boolean }[] {
  return text
    .split(/\{\{([^]*?)\}\}/)
    .map((part, index) => ({ text: part, isExpression: index % 2 === 1 }))
    .filter(({ text: part, isExpression }) => isExpression || part !== '');
}

function dataOfNode(work: Import, name: string): string | null {
  const source = work.byName.get(name);
  if (source !== undefined && isTrigger(source)) return 'input';
  return work.placed.get(name)?.data ?? null;
}

/** Templates follow names alone, so that what is computed is computed before. */
function insertValues(work: Import, id: string, parent: { parent?: string }, values: { [name: string]: string }): void {
  const valuesId = `${id}Values`;
  work.ids.add(valuesId);
  for (const edge of work.edges) if (edge.to === id) edge.to = valuesId;
  work.nodes.push({ id: valuesId, ...parent, type: 'transform', config: { value: values } });
  work.edges.push({ from: valuesId, to: id });
}
