import { join } from 'node:path';
import { EVENT_TYPES, type EventSource, type EventTypeRow } from '../domain/events/event-types.ts';
import type { JsonObject } from '../domain/json.ts';
import { ROOT } from './source-files.ts';

export const EVENT_CATALOGUE_FILE = join(ROOT, 'docs/event-catalogue.md');
export const EVENT_SCHEMA_FILE = join(ROOT, 'docs/events.schema.json');

const PARTS: Readonly<Record<EventSource, { title: string; text: string }>> = {
  run: {
    title: 'Runs and nodes',
    text: "From Temporal's history: what the engine folds. Streams `run/<run id>/<Temporal run id>`; the version is Temporal's event id, the correlation id the run id.",
  },
  system: {
    title: 'Everything else',
    text: 'Recorded by whoever does it, in the transaction of the change where there is one. A type `<kind>.<what>` is in a stream `<kind>/<id>`.',
  },
  history: {
    title: "The rest of Temporal's history",
    text: 'Changes nothing of a run; kept so that versions are dense and the history can be compared. What Temporal brings in later is `temporal.<name>`, with an empty payload.',
  },
};

const INTRODUCTION = `# Event catalogue

Every type of event that the store takes, with the fields of its payload. The envelope around it, and what the store promises, is in
[events.md](events.md). The same as JSON Schema: [events.schema.json](events.schema.json), \`weft events types --json\`, \`eventTypes\` in
the graph. Fields that are not named here may come with later versions of the product: readers ignore what they do not know.`;

export function renderEventCatalogue(): string {
  const parts = Object.entries(PARTS).map(([source, { title, text }]) => {
    const rows = EVENT_TYPES.filter((row) => row.source === source);
    return `## ${title}\n\n${text}\n\n${rows.map(renderType).join('\n\n')}`;
  });
  return `${[INTRODUCTION, ...parts].join('\n\n')}\n`;
}

function renderType({ type, happened, schemaVersion, schema }: EventTypeRow): string {
  const properties = Object.entries(schema['properties'] as Record<string, JsonObject>);
  const required = schema['required'] as string[];
  const head = `### \`${type}\`\n\n${happened}. Version ${schemaVersion}.`;
  if (properties.length === 0) return `${head} No fields.`;
  const rows = properties.map(
    ([name, field]) =>
      `| \`${name}\`${required.includes(name) ? '' : ' (may be absent)'} | ${typeOf(field)} | ${String(field['description'] ?? '')} |`,
  );
  return `${head}\n\n<!-- prettier-ignore -->\n| field | type | meaning |\n|---|---|---|\n${rows.join('\n')}`;
}

function typeOf({ type, enum: values, items }: JsonObject): string {
  const names = Array.isArray(type) ? type : [type ?? 'any'];
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (items) return `array of ${typeOf(items as JsonObject)}`;
  return names.join(' or ');
}

export function renderEventSchemas(): string {
  const schemas = Object.fromEntries(EVENT_TYPES.map(({ type, schema }) => [type, schema]));
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: schemas }, null, 2)}\n`;
}
