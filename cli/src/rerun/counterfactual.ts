import { setTimeout as sleep } from 'node:timers/promises';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { UsageError } from '../usage-error.ts';

export type CounterfactualOptions = {
  workflow?: string;
  status?: readonly string[];
  label?: Record<string, string>;
  last?: number;
  set: readonly string[];
  version?: number;
  run?: readonly string[];
  again?: readonly string[];
  wait: number;
  json?: boolean;
  url: string;
};

type Totals = { durationMs: number; inputTokens: number; outputTokens: number; costMicroUsd: number | null };
type Difference = { what: string; before: unknown; after: unknown };
type Row = {
  of: { id: string; status: string };
  run: { id: string; status: string } | null;
  same: boolean | null;
  differences: Difference[] | null;
  path: Difference[] | null;
  divergences: { nodeId: string; path: string; recorded: boolean; before: unknown; after: unknown }[] | null;
  ran: string[] | null;
  durationBeforeMs: number | null;
  durationAfterMs: number | null;
  before: Totals | null;
  after: Totals | null;
};
type Result = {
  id: string;
  changes: unknown;
  open: number;
  batch: { status: string; total: number; failed: number; errors: { runId: string; code: string; message: string }[] };
};

const START = `mutation ($runIds: [ID!], $workflowId: ID, $status: [RunStatus!], $labels: JSON, $last: Int, $version: Int, $set: JSON,
  $run: [String!], $again: [String!]) {
  counterfactual(runIds: $runIds, workflowId: $workflowId, status: $status, labels: $labels, last: $last, version: $version,
    set: $set, run: $run, again: $again) { id }
}`;
const RESULT = `query ($id: ID!) { counterfactualResult(id: $id) {
  id changes open batch { status total failed errors { runId code message } }
} }`;
const TOTALS = '{ durationMs inputTokens outputTokens costMicroUsd }';
const ROWS = `query ($id: ID!, $after: ID) { counterfactualResult(id: $id) { rows(first: 100, after: $after) {
  of { id status } run { id status } same differences { what before after } path { what before after }
  divergences { nodeId path recorded before after } ran durationBeforeMs durationAfterMs before ${TOTALS} after ${TOTALS}
} } }`;
const POLL_MS = 500;
const SHOWN_CHARACTERS = 60;

/** `weft counterfactual`: 0 when all of them came to the same, 1 when something differs, 2 when it took too long. */
export async function runCounterfactual(runs: readonly string[], options: CounterfactualOptions): Promise<number> {
  if (runs.length === 0 && options.workflow === undefined) {
    throw new UsageError('Which runs?', 'Name some, or a workflow by --workflow.');
  }
  const gateway = createGatewayClient(options.url);
  const { counterfactual } = await gateway<{ counterfactual: { id: string } }>(START, {
    runIds: runs.length > 0 ? runs : null,
    workflowId: options.workflow ?? null,
    status: options.status ?? null,
    labels: options.label ?? null,
    last: options.last ?? null,
    version: options.version ?? null,
    set: Object.fromEntries(options.set.map(parseSetting)),
    run: options.run ?? null,
    again: options.again ?? null,
  });
  const result = await ended(gateway, counterfactual.id, options.wait);
  const rows = await allRows(gateway, counterfactual.id);
  if (options.json) printJson({ ...result, rows });
  else print(result, rows);
  if (result.open > 0) return 2;
  return result.batch.failed === 0 && rows.every(({ same }) => same) ? 0 : 1;
}

/** `node.config.x=value`, the value as JSON where it is that, else as text. */
export function parseSetting(text: string): [place: string, value: unknown] {
  const [, place, value] = /^([A-Za-z]\w*(?:\.\w+)+)=(.*)$/s.exec(text) ?? [];
  if (place === undefined || value === undefined) {
    throw new UsageError(`--set ${text} names no place`, `Write --set 'classify.config.prompt=Is it spam?'.`);
  }
  try {
    return [place, JSON.parse(value)];
  } catch {
    return [place, value];
  }
}

async function ended(gateway: GatewayClient, id: string, waitMs: number): Promise<Result> {
  const until = Date.now() + waitMs;
  for (;;) {
    const { counterfactualResult } = await gateway<{ counterfactualResult: Result }>(RESULT, { id });
    const { open, batch } = counterfactualResult;
    if ((open === 0 && batch.status !== 'RUNNING') || Date.now() >= until) return counterfactualResult;
    await sleep(POLL_MS);
  }
}

async function allRows(gateway: GatewayClient, id: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const after = rows.at(-1)?.of.id ?? null;
    const page = await gateway<{ counterfactualResult: { rows: Row[] } }>(ROWS, { id, after });
    const { rows: next } = page.counterfactualResult;
    rows.push(...next);
    if (next.length < 100) return rows;
  }
}

const usd = (totals: Totals | null | undefined): string =>
  totals?.costMicroUsd == null ? '?' : (totals.costMicroUsd / 1e6).toFixed(4);

function print({ id, batch, open }: Result, rows: readonly Row[]): void {
  const of = (row: Row) => [
    row.of.id,
    row.run?.id ?? '',
    row.same === null ? 'OPEN' : row.same ? 'same' : verdictOf(row),
    (row.ran ?? []).join(' '),
    `${row.durationBeforeMs ?? '?'} -> ${row.durationAfterMs ?? '?'} ms`,
    `${tokens(row.before)} -> ${tokens(row.after)}`,
    `${usd(row.before)} -> ${usd(row.after)}`,
  ];
  printRows([['RUN', 'WHAT IF', 'OUTCOME', 'RAN', 'DURATION', 'TOKENS', 'USD'], ...rows.map(of)]);
  for (const row of rows) for (const line of linesOf(row)) process.stdout.write(`${line}\n`);
  for (const { runId, code, message } of batch.errors) process.stdout.write(`${runId}  FAILED ${code}: ${message}\n`);
  const same = rows.filter((row) => row.same).length;
  process.stdout.write(`${id}: ${rows.length} runs, ${same} the same, ${open} open, ${batch.failed} not made\n`);
}

function verdictOf({ differences, path, divergences }: Row): string {
  const counted: [number | undefined, string][] = [
    [differences?.length, 'different'],
    [path?.length, 'other way'],
    [divergences?.length, 'diverged'],
  ];
  return counted.flatMap(([count, name]) => (count ? [`${count} ${name}`] : [])).join(', ');
}

function linesOf({ of, differences, path, divergences }: Row): string[] {
  const values = [...(differences ?? []), ...(path ?? [])].map(
    ({ what, before, after }) => `  ${what}: ${shortened(before)} -> ${shortened(after)}`,
  );
  const calls = (divergences ?? []).map(
    (one) =>
      `  ${one.nodeId}#${one.path} not called${one.recorded ? ', answered as it had' : ''}: ${shortened(one.before)} -> ${shortened(one.after)}`,
  );
  return values.length + calls.length === 0 ? [] : [of.id, ...values, ...calls];
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}

const tokens = (totals: Totals | null): string => (totals ? String(totals.inputTokens + totals.outputTokens) : '?');
