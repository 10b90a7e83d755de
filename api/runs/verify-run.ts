import { verifyEvents } from '../../adapters/postgres/event-verification.ts';
import type { Verification } from '../../domain/events/verification.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';

export function verifyRun(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  runId: string,
): Promise<Verification> {
  return verifyEvents(pool, { tenantId, runId });
}
