import { verifyEvents } from '../../../adapters/postgres/event-verification.ts';
import type { Tampering, Verification } from '../../../domain/events/verification.ts';
import { withEventDatabase } from './event-servers.ts';

export type VerifyOptions = { run?: string; all?: boolean; json?: boolean };

/** Gives the exit code: 1 when something was found, or when there is no such run. */
export async function verify({ run, json }: VerifyOptions): Promise<number> {
  const verification = await withEventDatabase((pool) => verifyEvents(pool, run === undefined ? {} : { runId: run }));
  process.stdout.write(json ? `${JSON.stringify(verification)}\n` : `${describeVerification(verification)}\n`);
  if (run !== undefined && verification.streams === 0) process.stderr.write(`there are no events of run ${run}\n`);
  return verification.found.length > 0 || (run !== undefined && verification.streams === 0) ? 1 : 0;
}

export function describeVerification({ streams, events, goneValues, found }: Verification): string {
  const gone = goneValues > 0 ? `; ${goneValues} large values are no longer stored` : '';
  const outcome = found.length === 0 ? 'as they were appended' : `${found.length} found`;
  return [...found.map(describeTampering), `${events} events in ${streams} streams: ${outcome}${gone}`].join('\n');
}

function describeTampering({ tenantId, streamId, version, kind, detail }: Tampering): string {
  const place = streamId === null ? `tenant ${tenantId}` : `${streamId} version ${version}`;
  return `${kind}  ${place}: ${detail}`;
}
