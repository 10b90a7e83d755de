import { setTimeout as sleep } from 'node:timers/promises';
import { printJson } from '../flow/print-rows.ts';
import { statusOf } from '../flow/run-view.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { WatchOptions } from '../operate-commands.ts';
import { ownRunFile } from '../access/own-run-file.ts';
import { createWarningTeller } from '../run-warnings.ts';
import { createTokenPrinter, followTokens, type SeenEvent } from './follow-tokens.ts';
import { nodeName, nodeRemark, readRunDetail, type RunDetail, tookOf } from './run-detail.ts';

const POLL_MS = 500;
/** Of a run with more, the first are followed. */
const NODES = 1000;

/** One line for each change. Gives the exit code. */
export async function watchRun(id: string, options: WatchOptions): Promise<number> {
  const { url, json, timeout } = options;
  const gateway = createGatewayClient(url);
  const deadline = timeout === undefined ? Infinity : Date.now() + timeout * 1000;
  const out = json ? process.stderr : process.stdout;
  const printer = createTokenPrinter((text) => void out.write(text));
  const leaving = new AbortController();
  const follow = options.tokens ? tokenFollower(id, options, printer.show, leaving.signal) : () => undefined;
  const say = (line: string) => {
    printer.rest();
    out.write(`${line}\n`);
  };
  const tell = createWarningTeller((line) => say(`! ${line}`));
  const differences = createDifferences();
  for (;;) {
    const run = await readRunDetail(gateway, id, NODES);
    for (const line of differences(run)) say(line);
    follow(run);
    tell(run.warnings);
    if (run.closedAt !== null) {
      leaving.abort();
      printer.rest();
      if (json) printJson(run);
      else if (run.output !== null) say(JSON.stringify(run.output, null, 2));
      return run.status === 'COMPLETED' ? 0 : 1;
    }
    if (Date.now() >= deadline) {
      say(`${id} is still ${statusOf(run)} after ${timeout} s`);
      return 2;
    }
    await sleep(POLL_MS);
  }
}

const SPEAKING = new Set(['RUNNING', 'COMPLETED', 'FAILED']);

/** Begins to read the tokens of each execution of a model node when it is first seen at work. */
function tokenFollower(
  runId: string,
  { url, api }: WatchOptions,
  show: (node: string, event: SeenEvent) => void,
  signal: AbortSignal,
): (run: RunDetail) => void {
  const followed = new Set<string>();
  const apiUrl = api ?? ownRunFile()?.apiUrl ?? 'http://127.0.0.1:8080';
  return (run) => {
    for (const node of run.nodes) {
      const name = nodeName(node);
      if (node.type !== 'model.complete' || !SPEAKING.has(node.status) || followed.has(name)) continue;
      followed.add(name);
      const place = { runId, nodeId: node.id, path: node.path };
      void followTokens(apiUrl, place, { graphUrl: url, onEvent: (event) => show(name, event), signal });
    }
  };
}

/** What is new about a run since it was last asked about it. */
export function createDifferences(): (run: RunDetail) => string[] {
  const known = new Map<string, string>();
  const isNew = (key: string, line: string): boolean => {
    const before = known.get(key);
    known.set(key, line);
    return before !== line;
  };
  return (run) => {
    const lines: string[] = [];
    for (const node of run.nodes) {
      if (!isNew(`node ${nodeName(node)}`, node.status) || node.status === 'PENDING') continue;
      lines.push(joined(`  ${nodeName(node).padEnd(20)} ${node.status.padEnd(10)}`, tookOf(node), nodeRemark(node)));
    }
    for (const { node: child } of run.children.edges) {
      if (!isNew(`child ${child.id}`, child.status)) continue;
      lines.push(
        `  ${nodeName({ id: child.parent.nodeId, path: child.parent.path })} child ${child.id} ${child.status}`,
      );
    }
    const status = statusOf(run);
    if (isNew('run', status)) lines.push(`${run.id} ${status}`);
    return lines;
  };
}

const joined = (...parts: string[]): string =>
  parts
    .filter((part) => part !== '')
    .join('  ')
    .trimEnd();
