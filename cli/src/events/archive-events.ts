import { archiveEvents } from '../../../adapters/postgres/archive-events.ts';
import { dropEmptyPartitions } from '../../../adapters/postgres/event-partitions.ts';
import { restoreEvents } from '../../../adapters/postgres/restore-events.ts';
import { UsageError } from '../usage-error.ts';
import { withEventDatabase } from './event-servers.ts';

export type ArchiveCommand = { olderThan: string; dryRun?: boolean; json?: boolean };

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;

/** Gives the exit code. */
export async function archive({ olderThan, dryRun = false, json }: ArchiveCommand): Promise<number> {
  const closedBefore = new Date(Date.now() - durationMs(olderThan));
  return withEventDatabase(async (pool) => {
    const archived = await archiveEvents(pool, { closedBefore, dryRun });
    if (archived === null) {
      process.stderr.write('another process is archiving\n');
      return 1;
    }
    const dropped = dryRun ? [] : await dropEmptyPartitions(pool);
    if (json) process.stdout.write(`${JSON.stringify({ ...archived, dropped })}\n`);
    else if (dryRun) process.stdout.write(`${archived.events} events of ${archived.runs} runs would be archived\n`);
    else {
      const { events, runs, files, bytes } = archived;
      process.stdout.write(`${events} events of ${runs} runs are in ${files} files, ${bytes} bytes\n`);
      for (const name of dropped) process.stdout.write(`the empty partition ${name} was dropped\n`);
    }
    return 0;
  });
}

export async function restore(runId: string): Promise<number> {
  const restored = await withEventDatabase((pool) => restoreEvents(pool, runId));
  process.stdout.write(
    restored > 0 ? `${restored} events of ${runId} are back\n` : `nothing of ${runId} is archived\n`,
  );
  return restored > 0 ? 0 : 1;
}

function durationMs(text: string): number {
  const match = /^(\d+)([dhm])$/.exec(text);
  if (!match) throw new UsageError(`--older-than ${text}: say a number and d, h or m`, 'such as 90d');
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
