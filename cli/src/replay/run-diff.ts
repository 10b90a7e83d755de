import { createGatewayClient } from '../gateway-client.ts';

type Change = { name: string; before: unknown; after: unknown };
type Diff = {
  from: number;
  to: number;
  definitionChanged: boolean;
  run: Change[];
  variables: Change[];
  nodes: { nodeId: string; path: string; fields: Change[] }[];
};

const DIFF = `query ($id: ID!, $from: Int!, $to: Int!) { run(id: $id) { diff(from: $from, to: $to) {
  from to definitionChanged run { name before after } variables { name before after }
  nodes { nodeId path fields { name before after } }
} } }`;
const LAST = 2 ** 31 - 1;
const WIDTH = 60;

/** Gives the exit code: 1 when there is no such run. */
export async function runDiff(
  id: string,
  from: number,
  to: number | undefined,
  { url, json }: { url: string; json?: boolean },
): Promise<number> {
  const { run } = await createGatewayClient(url)<{ run: { diff: Diff } | null }>(DIFF, { id, from, to: to ?? LAST });
  if (run === null) {
    process.stderr.write(`there is no run ${id}\n`);
    return 1;
  }
  process.stdout.write(`${json ? JSON.stringify(run.diff) : diffText(run.diff)}\n`);
  return 0;
}

function diffText({ from, to, definitionChanged, run, variables, nodes }: Diff): string {
  const lines = [
    `events ${from} to ${to}${definitionChanged ? ', over a change of the version' : ''}`,
    ...section('run', run),
    ...section('variables', variables),
    ...nodes.flatMap(({ nodeId, path, fields }) => section(`${nodeId}#${path}`, fields)),
  ];
  return lines.length === 1 ? `${lines[0]}: nothing changed` : lines.join('\n');
}

function section(title: string, changes: readonly Change[]): string[] {
  if (changes.length === 0) return [];
  return [title, ...changes.map(({ name, before, after }) => `  ${name}: ${shown(before)} -> ${shown(after)}`)];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}...`;
}
