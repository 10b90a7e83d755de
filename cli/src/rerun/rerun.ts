import { printJson, printRows } from '../flow/print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from '../flow/run-view.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import { parseNodeMapping } from '../node-mapping.ts';
import { UsageError } from '../usage-error.ts';
import type { ForkOptions, NewRunOptions } from './rerun-commands.ts';

type Totals = {
  executions: number;
  durationMs: number;
  inputTokens: number;
  outputTokens: number;
  costMicroUsd: number | null;
};
type Plan = {
  version: number;
  executions: {
    nodeId: string;
    path: string;
    type: string;
    action: string;
    durationMs: number | null;
    reusedFrom: string | null;
  }[];
  saved: Totals;
  spent: Totals;
  repeats: {
    nodeId: string;
    iteration: string;
    state: string;
    kind: string;
    request: { method?: string; url?: string };
    startedAt: string;
  }[];
};

const TOTALS = 'executions durationMs inputTokens outputTokens costMicroUsd';
const PLAN = `version saved { ${TOTALS} } spent { ${TOTALS} }
  executions(first: 10000) { nodeId path type action durationMs reusedFrom }
  repeats { nodeId iteration state kind request startedAt }`;
const START_TYPES = { idempotencyKey: 'String', waitMs: 'Int' };
const MOST_ROWS = 50;

type Argument = { types: Record<string, string>; values: Record<string, unknown> };

/** `weft rerun`: 1 when it is refused, or when effects would repeat and nobody said yes. */
export async function rerun(run: string, nodes: readonly string[], options: NewRunOptions): Promise<number> {
  return begin('planRerun', 'rerunFrom', options, {
    types: { runId: 'ID!', nodeIds: '[String!]', version: 'Int', patches: 'JSON' },
    values: {
      runId: run,
      nodeIds: nodes.length > 0 ? nodes : null,
      version: options.version ?? null,
      patches: await patchesOf(options),
    },
  });
}

/** `weft fork` */
export async function fork(run: string, eventId: number, options: ForkOptions): Promise<number> {
  return begin('planFork', 'forkAt', options, {
    types: { runId: 'ID!', eventId: 'Int!', version: 'Int', mapping: 'JSON', patches: 'JSON' },
    values: {
      runId: run,
      eventId,
      version: options.version ?? null,
      mapping: parseNodeMapping(options.map),
      patches: await patchesOf(options),
    },
  });
}

async function begin(planning: string, starting: string, options: NewRunOptions, asked: Argument): Promise<number> {
  const gateway = createGatewayClient(options.url);
  const plan = await call<Plan>(gateway, 'query', planning, asked, PLAN);
  const stopped = plan.repeats.length > 0 && !options.yes && !options.plan;
  if (options.json && (options.plan || stopped)) printJson({ plan });
  else if (!options.json) printPlan(plan);
  if (options.plan) return 0;
  if (stopped) {
    process.stderr.write(`nothing was started: ${plan.repeats.length} effects would repeat; add --yes\n`);
    return 1;
  }
  const { types, values } = asked;
  const given = { ...values, idempotencyKey: options.key ?? null, waitMs: options.wait ?? null };
  const started = { types: { ...types, ...START_TYPES }, values: given };
  const run = await call<RunView>(gateway, 'mutation', starting, started, RUN_VIEW);
  if (options.json) printJson({ plan, run });
  else process.stdout.write(`${run.id}  ${statusOf(run)}\n`);
  return run.closedAt === null || run.status === 'COMPLETED' ? 0 : 1;
}

async function call<Answer>(
  gateway: GatewayClient,
  kind: string,
  field: string,
  { types, values }: Argument,
  selection: string,
): Promise<Answer> {
  const names = Object.keys(types);
  const declared = names.map((name) => `$${name}: ${types[name]}`).join(', ');
  const passed = names.map((name) => `${name}: $${name}`).join(', ');
  const query = `${kind} (${declared}) { ${field}(${passed}) { ${selection} } }`;
  return (await gateway<Record<string, Answer>>(query, values))[field] as Answer;
}

function printPlan({ version, executions, saved, spent, repeats }: Plan): void {
  const shown = executions.slice(0, MOST_ROWS);
  const rows = shown.map(({ nodeId, path, type, action, durationMs, reusedFrom }) => [
    `${nodeId}#${path}`,
    type,
    action,
    durationMs === null ? '' : `${durationMs} ms`,
    reusedFrom ?? '',
  ]);
  process.stdout.write(`version ${version}\n`);
  printRows([['NODE', 'TYPE', 'ACTION', 'LAST TIME', 'FROM'], ...rows]);
  if (executions.length > shown.length) process.stdout.write(`... and ${executions.length - shown.length} more\n`);
  process.stdout.write(`saved    ${totalsText(saved)}\nto spend ${totalsText(spent)}\n`);
  for (const { nodeId, iteration, state, kind, request, startedAt } of repeats) {
    const what = [request.method, request.url].filter(Boolean).join(' ') || kind;
    process.stdout.write(`REPEATS  ${nodeId}#${iteration} ${what} (${state} at ${startedAt})\n`);
  }
}

function totalsText({ executions, durationMs, inputTokens, outputTokens, costMicroUsd }: Totals): string {
  const tokens = inputTokens + outputTokens > 0 ? `, ${inputTokens} + ${outputTokens} tokens` : '';
  const money = costMicroUsd === null ? '' : `, $${(costMicroUsd / 1e6).toFixed(4)}`;
  return `${executions} executions, ${durationMs} ms${tokens}${money}`;
}

async function patchesOf({ input, var: variables, output }: NewRunOptions): Promise<Record<string, unknown>> {
  const given = await jsonOption('input', input);
  const outputs = Object.entries(await pairs('output', output));
  return {
    ...(given === undefined ? {} : { input: given }),
    ...(variables.length > 0 ? { variables: await pairs('var', variables) } : {}),
    ...(outputs.length > 0 ? { nodes: Object.fromEntries(outputs.map(([id, value]) => [id, { output: value }])) } : {}),
  };
}

/** `name=json` */
async function pairs(name: string, texts: readonly string[]): Promise<Record<string, unknown>> {
  const entries: [string, unknown][] = [];
  for (const text of texts) {
    const [, key, json] = /^([A-Za-z]\w*)=(.+)$/s.exec(text) ?? [];
    if (key === undefined) throw new UsageError(`--${name} ${text} is not name=json`, `Write --${name} 'tone="dry"'.`);
    entries.push([key, await jsonOption(name, json)]);
  }
  return Object.fromEntries(entries);
}
