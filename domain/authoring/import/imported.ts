import type { Json } from '../../json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../../runs/definition.ts';

/** Something that has no counterpart here, and what to do about it. */
export type Unmapped = { node: string; reason: string; todo: string };
/** What starts the workflow there; here triggers are made beside a definition. */
export type TriggerSuggestion = {
  kind: 'manual' | 'schedule' | 'webhook' | 'event' | 'run';
  detail: string;
  command: string | null;
};
export type ImportResult = { definition: WorkflowDefinition; unmapped: Unmapped[]; triggers: TriggerSuggestion[] };

/** A definition as it is put together. */
export type Assembly = {
  nodes: NodeDefinition[];
  edges: EdgeDefinition[];
  unmapped: Unmapped[];
  triggers: TriggerSuggestion[];
};
export const newAssembly = (): Assembly => ({ nodes: [], edges: [], unmapped: [], triggers: [] });

/** An id that people recognise: `Send the reply!` is `sendTheReply`. */
export function idOf(name: string, taken: ReadonlySet<string>): string {
  const words = name
    .normalize('NFKD')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  const joined = words
    .map((word, index) => (index === 0 ? word[0]?.toLowerCase() : word[0]?.toUpperCase()) + word.slice(1))
    .join('');
  const base = (/^[A-Za-z]/.test(joined) ? joined : `node${joined}`).slice(0, 90);
  for (let count = 1; ; count += 1) {
    const id = count === 1 ? base : `${base}${count}`;
    if (!taken.has(id)) return id;
  }
}

/** A workflow's name: `My flow (v2)` is `my-flow-v2`. */
export function nameOf(title: string): string {
  const name = title
    .normalize('NFKD')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return /^[a-z]/.test(name) ? name.slice(0, 200) : `workflow-${name}`.replace(/-$/, '');
}

/** Stands where something could not be imported, and says so when a run comes to it. */
export function placeholder(id: string, name: string, reason: string): NodeDefinition {
  return {
    id,
    type: 'fail',
    name,
    config: { code: 'NOT_IMPORTED', message: `${name} was not imported: ${reason}`.replaceAll('{{', '{ {') },
  };
}

/** A JSON value as CEL. */
export function literal(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${literal(inner)}`)
    .join(', ')}}`;
}
