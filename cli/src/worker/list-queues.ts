import type { PoolRow } from '../../../domain/runs/pools.ts';
import { backlogAgeOf, backlogOf, isUnserved, livePollers, type QueueStats } from '../../../domain/runs/queue-stats.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { describeQueue } from '../../../temporal/describe-queue.ts';
import { loadPools } from '../../../temporal/load-pools.ts';
import { aligned } from '../aligned.ts';
import { findServers } from './find-servers.ts';

export type ListOptions = { queue?: string[]; json?: boolean; check?: boolean };

export type QueueLine = {
  queue: string;
  meaning: string;
  serves: readonly string[];
  workflows: boolean;
  workers: number;
  identities: string[];
  backlog: number;
  oldestMs: number;
  addedPerSecond: number;
  dispatchedPerSecond: number;
  unserved: boolean;
  concurrency: number;
  maxPerSecond: number | null;
  maxPerSecondPerWorker: number | null;
  memoryMb: number | null;
  tenants: readonly string[] | null;
  roles: readonly string[] | null;
};

/** `weft worker list`: the table of pools beside what Temporal says of each queue. Gives the exit code. */
export async function listQueues({ queue, json, check }: ListOptions): Promise<number> {
  const settings = await findServers();
  const pools = loadPools(settings).filter((pool) => queue === undefined || queue.includes(pool.queue));
  const connection = await connectTemporal(settings);
  try {
    const stats = await Promise.all(
      pools.map((pool) => describeQueue(connection, settings.TEMPORAL_NAMESPACE, pool.queue)),
    );
    const lines = pools.map((pool, index) => queueLine(pool, stats[index] as QueueStats));
    process.stdout.write(json ? `${JSON.stringify({ queues: lines })}\n` : `${describeLines(lines)}\n`);
    const lonely = lines.filter(({ unserved }) => unserved);
    for (const { queue: name, backlog } of lonely) {
      process.stderr.write(
        `No worker polls queue ${name}, where ${backlog} wait: start one with weft worker start --queue ${name}\n`,
      );
    }
    return check && lonely.length > 0 ? 1 : 0;
  } finally {
    await connection.close();
  }
}

function queueLine(pool: PoolRow, stats: QueueStats): QueueLine {
  const { activities, workflows, readAt } = stats;
  const halves = pool.workflows ? [activities, workflows] : [activities];
  const identities = new Set(
    halves
      .flatMap((half) => half.pollers.filter((one) => livePollers({ ...half, pollers: [one] }, readAt) > 0))
      .map(({ identity }) => identity),
  );
  const { activityTypes: serves, ...row } = pool;
  return {
    ...row,
    serves,
    workers: identities.size,
    identities: [...identities].sort(),
    backlog: backlogOf(stats),
    oldestMs: Math.round(backlogAgeOf(stats)),
    addedPerSecond: activities.addedPerSecond + workflows.addedPerSecond,
    dispatchedPerSecond: activities.dispatchedPerSecond + workflows.dispatchedPerSecond,
    unserved: isUnserved(stats),
  };
}

export function describeLines(lines: readonly QueueLine[]): string {
  const rate = (value: number) => (value === 0 ? '0' : value.toFixed(1));
  const cells = lines.map((line) => [
    line.queue,
    String(line.workers),
    String(line.backlog),
    line.oldestMs === 0 ? '-' : `${(line.oldestMs / 1000).toFixed(1)} s`,
    rate(line.addedPerSecond),
    rate(line.dispatchedPerSecond),
    String(line.concurrency),
    [line.maxPerSecond, line.maxPerSecondPerWorker].map((value) => value ?? '-').join(' / '),
    line.memoryMb === null ? '-' : `${line.memoryMb} MB`,
    [...(line.tenants ?? []), ...(line.roles ?? [])].join(', ') || 'everybody',
    [...(line.workflows ? ['workflows'] : []), ...line.serves].join(', '),
  ]);
  const head = [
    ...['QUEUE', 'WORKERS', 'BACKLOG', 'OLDEST', 'ADDED/S', 'TAKEN/S', 'SLOTS', 'PER S / WORKER', 'MEMORY', 'FOR'],
    'SERVES',
  ];
  return aligned([head, ...cells]);
}
