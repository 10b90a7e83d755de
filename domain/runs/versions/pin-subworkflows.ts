import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { DefinitionProblem, WorkflowDefinition } from '../definition.ts';
import { LIMITS } from '../limits.ts';
import { problemList, type Report } from '../problem-list.ts';
import type { PublishedDefinition } from '../run-record.ts';

export type SubworkflowReference = { workflow: string; version: number | null };
export type PublishedChild = Pick<PublishedDefinition, 'version' | 'hash' | 'definition'>;
/** What is published under a reference; without a version the latest. */
export type FindPublished = (reference: SubworkflowReference) => PublishedChild | undefined;

/** The workflows that the nodes of a definition run, each as far as it can be read; agents once they are published. */
export function subworkflowsOf(definition: unknown): SubworkflowReference[] {
  return nodesOf(definition, ['subworkflow', 'agent']).flatMap(({ node }) => referenceOf(node) ?? []);
}

/**
 * The definition with every subworkflow pinned to what is published now, and what stands against that. Says nothing of nodes that
 * are wrong in another way: those are for `validateDefinition`.
 */
export function pinSubworkflows(
  definition: Json,
  find: FindPublished,
): { definition: Json; problems: DefinitionProblem[] } {
  const { problems, report } = problemList();
  const own = isJsonObject(definition) && typeof definition['name'] === 'string' ? definition['name'] : '';
  const pins = new Map<number, PublishedChild>();
  for (const { node, index } of nodesOf(definition, ['subworkflow'])) {
    const reference = referenceOf(node);
    if (reference === null) continue;
    const id = typeof node['id'] === 'string' ? node['id'] : null;
    const at = (field: string) => ['nodes', index, 'config', field];
    if (reference.workflow === own) {
      reportCycle(report, at('workflow'), id, [own, own]);
      continue;
    }
    const child = find(reference);
    if (child === undefined) {
      const what =
        reference.version === null ? reference.workflow : `${reference.workflow} version ${reference.version}`;
      report('SUBWORKFLOW_UNKNOWN', at('workflow'), id, `Workflow ${what} is not published`, 'Publish it first.');
      continue;
    }
    pins.set(index, child);
    walk(child, [own, reference.workflow], find, (code, path) =>
      code === 'cycle'
        ? reportCycle(report, at('workflow'), id, path)
        : report(
            'LIMIT_EXCEEDED',
            at('workflow'),
            id,
            `Subworkflows are nested deeper than ${LIMITS.subworkflowDepth}: ${path.join(' -> ')}`,
          ),
    );
    checkInput(config(node)['input'], child.definition.input, (message, hint) =>
      report('SUBWORKFLOW_INPUT', at('input'), id, message, hint),
    );
  }
  return { definition: pinned(definition, pins), problems };
}

function reportCycle(report: Report, place: (string | number)[], id: string | null, path: readonly string[]): void {
  const hint = 'A workflow cannot run itself, not even by way of others; use a loop.';
  report('SUBWORKFLOW_CYCLE', place, id, `The subworkflows go round in a circle: ${path.join(' -> ')}`, hint);
}

/** Follows what is published; each found fault ends its branch. */
function walk(
  child: PublishedChild,
  path: readonly string[],
  find: FindPublished,
  fault: (code: 'cycle' | 'depth', path: readonly string[]) => void,
): void {
  if (path.length > LIMITS.subworkflowDepth + 1) return fault('depth', path);
  const seen = new Set<string>();
  for (const reference of subworkflowsOf(child.definition)) {
    const longer = [...path, reference.workflow];
    if (seen.has(reference.workflow)) continue;
    seen.add(reference.workflow);
    const next = find(reference);
    if (path.includes(reference.workflow)) fault('cycle', longer);
    else if (next) walk(next, longer, find, fault);
  }
}

/** A mapping that is one expression is not looked into: what it gives is known when the run is there. */
function checkInput(
  mapping: Json | undefined,
  schema: WorkflowDefinition['input'],
  report: (message: string, hint: string) => void,
): void {
  if (!isJsonObject(schema) || (mapping !== undefined && !isJsonObject(mapping))) return;
  const given = Object.keys(mapping ?? {});
  const declared = isJsonObject(schema['properties']) ? Object.keys(schema['properties']) : [];
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  const missing = required.filter((name) => !given.includes(name));
  if (missing.length > 0) {
    report(`The subworkflow requires the input ${missing.join(', ')}`, 'Add it to `input` of this node.');
  }
  const open = schema['additionalProperties'] !== false || schema['patternProperties'] !== undefined;
  const unknown = open ? [] : given.filter((name) => !declared.includes(name));
  if (unknown.length > 0) {
    report(`The subworkflow takes no input ${unknown.join(', ')}`, `It takes ${declared.join(', ') || 'none'}.`);
  }
}

function pinned(definition: Json, pins: ReadonlyMap<number, PublishedChild>): Json {
  if (pins.size === 0 || !isJsonObject(definition)) return definition;
  const nodes = (definition['nodes'] as JsonObject[]).map((node, index) => {
    const child = pins.get(index);
    return child ? { ...node, config: { ...config(node), version: child.version, hash: child.hash } } : node;
  });
  return { ...definition, nodes };
}

function nodesOf(definition: unknown, types: readonly Json[]): { node: JsonObject; index: number }[] {
  const nodes = isJsonObject(definition) ? definition['nodes'] : undefined;
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node, index) =>
    isJsonObject(node) && types.includes(node['type'] ?? null) ? [{ node, index }] : [],
  );
}

const config = (node: JsonObject): JsonObject => (isJsonObject(node['config']) ? node['config'] : {});

function referenceOf(node: JsonObject): SubworkflowReference | null {
  const { workflow, version } = config(node);
  if (typeof workflow !== 'string' || workflow === '' || workflow.includes('\0')) return null;
  return { workflow, version: typeof version === 'number' && Number.isSafeInteger(version) ? version : null };
}
