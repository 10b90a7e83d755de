import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitionJsonSchema } from '../domain/runs/definition-schema.ts';
import { LIMITS } from '../domain/runs/limits.ts';
import { renderImportTable } from './import-table.ts';

const DOCS = join(import.meta.dirname, '../docs');
export const WORKFLOW_SCHEMA_FILE = join(DOCS, 'workflow.schema.json');

export const renderWorkflowSchema = (): string => `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`;

/** Pages that are written by hand but for blocks between markers. */
export function pagesWithBlocks(): { file: string; text: string; renewed: string }[] {
  const blocks = {
    'architecture.md': { 'import-table': unformatted(renderImportTable()) },
    'definition.md': { limits: unformatted(renderLimits()) },
  };
  return Object.entries(blocks).map(([name, contents]) => {
    const file = join(DOCS, name);
    const text = readFileSync(file, 'utf8');
    return { file, text, renewed: Object.entries(contents).reduce(replaceBlock, text) };
  });
}

function replaceBlock(page: string, [name, content]: [string, string]): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no block ${name} between ${start} and ${end}`);
  return `${page.slice(0, from)}${start}\n\n${content}\n\n${page.slice(to)}`;
}

const unformatted = (table: string): string => `<!-- prettier-ignore -->\n${table}`;

const LIMIT_MEANINGS: Readonly<Record<keyof typeof LIMITS, string>> = {
  nodes: 'nodes of a definition',
  edges: 'edges of a definition',
  depth: 'nodes on its longest path',
  fanOut: 'edges that leave by one port',
  nesting: 'containers inside of one another',
  mapItems: 'items of a map',
  inlineMapItems: 'items of a map that run inside the run; more run as child runs, unless the body only computes',
  mapConcurrency: 'items of a map at a time',
  mapWindow: 'child runs of one map at a time',
  subworkflowDepth: 'runs inside of one another',
  subworkflows: 'published versions reached through subworkflows',
  fleetRuns: 'runs that a fleet check looks at, open or closed',
  loopIterations: 'passes of a loop',
  stepsPerEvent: 'nodes computed at a stretch, before the run gives way',
  inbox: 'received events that a run keeps for later',
  variables: 'variables of a definition',
  nameLength: 'characters of its name',
  nodeIdLength: 'characters of a node id',
  definitionBytes: 'characters of its JSON',
  definitionDepth: 'levels of nesting of its JSON',
  retryAttempts: 'attempts of an activity, the first included',
  timeoutMs: 'ms of any timeout, delay or interval (a year)',
  expressionLength: 'characters of an expression',
  expressionNodes: 'operators and operands of an expression',
  expressionDepth: 'levels of nesting of an expression, chains of operators included',
  comprehensionNesting: 'comprehensions inside of one another',
  evaluationSteps: 'steps of one evaluation or rendering: repetitions, and long values handled',
  soughtLength: 'characters of a text that is searched for',
  valueLength: 'characters of a value in an expression',
  cachedCharacters: 'characters of parsed expressions kept in memory',
  templateLength: 'characters of a template',
  templateDepth: 'blocks of a template inside of one another',
  templateTags: 'tags of a template',
  renderedLength: 'characters of a rendered template',
};

export function renderLimits(): string {
  const rows = Object.entries(LIMIT_MEANINGS).map(([name, meaning]) => {
    const limit = LIMITS[name as keyof typeof LIMITS].toLocaleString('en-US');
    return `| ${meaning} | ${limit} |`;
  });
  return ['| what | at most |', '|---|---|', ...rows].join('\n');
}
