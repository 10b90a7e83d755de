import { readFile } from 'node:fs/promises';
import { decodeArchivedRuns } from '../../../adapters/archive/archived-run.ts';
import { verifyArchivedRun } from '../../../adapters/archive/verify-archive.ts';
import { describeVerification } from './verify-events.ts';

/** Proves an archive by itself, without a database. Gives the exit code. */
export async function verifyFile(path: string, json = false): Promise<number> {
  const runs = await decodeArchivedRuns(await readFile(path));
  const found = runs.flatMap(verifyArchivedRun);
  const streams = runs.flatMap((run) => run.streams);
  const events = streams.reduce((sum, stream) => sum + stream.events.length, 0);
  const verification = { streams: streams.length, events, goneValues: 0, found };
  process.stdout.write(json ? `${JSON.stringify(verification)}\n` : `${describeVerification(verification)}\n`);
  return found.length > 0 ? 1 : 0;
}
