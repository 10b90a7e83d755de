import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeTestFile, runTestFile } from '../cli/src/test-command.ts';
import { NODE_TYPES, type NodeClass, type NodeType, type NodeTypeRow } from '../domain/runs/node-types.ts';
import { ROOT } from './source-files.ts';

/** What is shown besides the types, by the name of its example. */
export const TOPICS = {
  'on-error': {
    title: 'Failures that are part of the plan',
    meaning:
      'Every node but a container that has a port `error` may have `onError`: `fail` (default), `continue` with `fallback` as its output, or `route`, which leaves by the port `error` with {error} as output. Its status stays `FAILED`.',
  },
  undo: {
    title: 'Undoing what was done',
    meaning:
      'An activity may have an `undo`, an activity too, whose expressions may also read the node itself. When the run fails or is cancelled, the undos of what has completed run one after the other, the last completed first; until they are done the run is `COMPENSATING`.',
  },
  fuse: {
    title: 'Sharing an event of history',
    meaning:
      'Neighbours in a chain that are quick, and do no harm when they run again, share one local activity: one event for all of them instead of three for each. `weft explain` says which; `fuse: true` asks for it where only the time is in doubt, `fuse: false` forbids it.',
  },
  variables: {
    title: 'Variables',
    meaning:
      'The definition declares them with their first values, `set` nodes and people (`setVariable`, `weft run set`) change them, expressions read them as `vars`.',
  },
} as const;

/** File name, and name of the workflow, of the example of a type. */
export const exampleOf = (type: NodeType): string => type.replace('.', '-');

const COSTS: Readonly<Record<NodeClass, string>> = {
  inline: 'no event of history',
  wait: '1 or 2 events',
  activity: '3 events',
  container: 'what its body costs',
  child: '3 or 4 events, and a run of its own',
  none: 'nothing',
};

const INTRODUCTION = `# Node types

Every type with an example that runs: \`samples/nodes\` has the workflows, \`samples/nodes/tests\` their tests. What is printed under an example is what the command prints; it asks the engine under a
virtual clock, with the results that the test makes up. The same tests run on Temporal too. What all nodes have in common is in [definition.md](definition.md).

How \`config\` is read: an **expression** is CEL, a **mapping** CEL in its leaves, a **template** Handlebars, **templates** an object of those, a **prompt** Handlebars over \`values\`, a
**number** a whole number or CEL that gives one, **cases** a list of a port and CEL each, a **literal** stands as it is.

Examples with \`input.shop\` ask the shop of the samples, \`node samples/shop/main.ts\`, when they run for real.`;

export async function renderNodesPage(): Promise<string> {
  const parts = [INTRODUCTION];
  for (const [type, row] of Object.entries<NodeTypeRow>(NODE_TYPES))
    parts.push(renderNodeType(type, row), await renderExample(exampleOf(type as NodeType)));
  for (const [name, { title, meaning }] of Object.entries(TOPICS))
    parts.push(`## ${title}\n\n${meaning}`, await renderExample(name));
  return `${parts.join('\n\n')}\n`;
}

function renderNodeType(type: string, row: NodeTypeRow): string {
  const queue = row.taskQueue === undefined ? '' : `, queue \`${row.taskQueue}\``;
  const cost = `Class: ${row.class}${queue}; costs ${COSTS[row.class]}.`;
  const cases = type === 'switch' ? 'those of its cases, ' : '';
  const ports = row.class === 'none' ? '' : ` Ports: ${cases}${row.ports.map((port) => `\`${port}\``).join(', ')}.`;
  const fields = Object.entries(row.config).map(([name, field]) => {
    const meaning = field.meaning.replaceAll('|', '\\|');
    return `| \`${name}\`${field.required ? ' (required)' : ''} | ${field.kind} | ${meaning} |`;
  });
  const table = ['<!-- prettier-ignore -->', '| config | kind | meaning |', '|---|---|---|', ...fields].join('\n');
  return `## \`${type}\`\n\n${row.meaning} ${cost}${ports}\n\n${table}`;
}

async function renderExample(name: string): Promise<string> {
  const file = `samples/nodes/tests/${name}.yaml`;
  const results = await runTestFile(join(ROOT, file));
  const lines = describeTestFile(join(ROOT, file), results, true).map((line) => line.replaceAll(`${ROOT}/`, ''));
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const printed = [...lines, '', `${results.length - failed} passed, ${failed} failed`].join('\n');
  const definition = readFileSync(join(ROOT, `samples/nodes/${name}.yaml`), 'utf8').trimEnd();
  const command = `npm run weft -- test ${file} --verbose`;
  return `<!-- prettier-ignore -->\n${block('yaml', definition)}\n\n${block('sh', command)}\n\n${block('text', printed)}`;
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
