import { setTimeout as sleep } from 'node:timers/promises';
import { printJson } from '../flow/print-rows.ts';
import { statusOf } from '../flow/run-view.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { WatchOptions } from '../operate-commands.ts';
import { createWarningTeller } from '../run-warnings.ts';
import { nodeName, nodeRemark, readRunDetail, type RunDetail, tookOf } from './run-detail.ts';

const POLL_MS = 500;
/** Of a run with more, the first are followed. */
const NODES = 1000;

/** One line for each change. Gives the exit code. */
export async function watchRun(id: string, { url, json, timeout }: WatchOptions): Promise<number> {
  const gateway = createGatewayClient(url);
  const deadline = timeout === undefined ? Infinity : Date.now() + timeout * 1000;
  const say = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
  const tell = createWarningTeller((line) => say(`! ${line}`));
  const differences = createDifferences();
  for (;;) {
    const run = await readRunDetail(gateway, id, NODES);
    for (const line of differences(run)) say(line);
    tell(run.warnings);
    if (run.closedAt !== null) {
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
