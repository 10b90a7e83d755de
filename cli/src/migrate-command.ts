import { createGatewayClient, GatewayError } from './gateway-client.ts';
import { parseNodeMapping } from './node-mapping.ts';
import type { MigrateOptions } from './version-commands.ts';

type Migrated = { migrateRun: { workflow: { version: number } } };
const MIGRATE = `mutation ($runId: ID!, $toVersion: Int, $mapping: JSON, $reason: String) {
  migrateRun(runId: $runId, toVersion: $toVersion, mapping: $mapping, reason: $reason) { workflow { version } } }`;

/** `weft migrate`: one run after the other; 0 when all of them go on in the other version. */
export async function runMigrate(runs: readonly string[], options: MigrateOptions): Promise<number> {
  const { to: toVersion = null, map, reason = null, json, url } = options;
  const mapping = parseNodeMapping(map);
  const gateway = createGatewayClient(url);
  const outcomes: { runId: string; version: number | null; error: string | null }[] = [];
  for (const runId of runs) {
    try {
      const { migrateRun } = await gateway<Migrated>(MIGRATE, { runId, toVersion, mapping, reason });
      outcomes.push({ runId, version: migrateRun.workflow.version, error: null });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      outcomes.push({ runId, version: null, error: error.message });
    }
    const last = outcomes.at(-1);
    if (!json) process.stdout.write(`${runId}  ${last?.error ?? `version ${last?.version}`}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  return outcomes.some(({ error }) => error !== null) ? 1 : 0;
}
