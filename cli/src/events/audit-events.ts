import { type AuditScope, runsToAudit } from '../../../adapters/postgres/event-links.ts';
import { createPayloadStore } from '../../../adapters/postgres/payload-store.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { createHistoryDecoder } from '../../../temporal/history-payloads.ts';
import { tenantNamespaces } from '../../../temporal/tenant-namespaces.ts';
import { auditRun, type RunAudit } from './audit-run.ts';
import { withEventDatabase } from './event-servers.ts';

export type AuditOptions = { run?: string; open?: boolean; last?: number; json?: boolean };

const PATIENCE_MS = 10_000;
const SHOWN = 200;

/** Gives the exit code: 1 when something differs, or when there is no such run. */
export async function audit({ run, last, json }: AuditOptions): Promise<number> {
  const scope: AuditScope = run !== undefined ? { runId: run } : last !== undefined ? { last } : { open: true };
  const audits = await auditAll(scope);
  if (run !== undefined && audits.length === 0) {
    process.stderr.write(`there is no run ${run}\n`);
    return 1;
  }
  process.stdout.write(json ? `${JSON.stringify(summaryOf(audits))}\n` : `${describeAudits(audits)}\n`);
  return audits.some(({ differences }) => differences.length > 0) ? 1 : 0;
}

function auditAll(scope: AuditScope): Promise<RunAudit[]> {
  return withEventDatabase(async (pool, settings) => {
    const connection = await connectTemporal(settings);
    try {
      const parts = {
        pool,
        connection,
        namespaces: tenantNamespaces(settings),
        decode: createHistoryDecoder(settings, createPayloadStore(pool)),
        patienceMs: PATIENCE_MS,
      };
      const audits: RunAudit[] = [];
      for (const run of await runsToAudit(pool, scope)) audits.push(await auditRun(parts, run));
      return audits;
    } finally {
      await connection.close();
    }
  });
}

export function summaryOf(audits: readonly RunAudit[]) {
  return {
    runs: audits.length,
    events: audits.reduce((sum, { events }) => sum + events, 0),
    gone: audits.flatMap(({ runId, gone }) => gone.map((temporalRunId) => ({ runId, temporalRunId }))),
    differences: audits.flatMap(({ runId, differences }) => differences.map((one) => ({ runId, ...one }))),
  };
}

export function describeAudits(audits: readonly RunAudit[]): string {
  const { runs, events, gone, differences } = summaryOf(audits);
  const lines = differences
    .slice(0, 50)
    .map(
      ({ runId, temporalRunId, version, field, stored, history }) =>
        `run ${runId} (${temporalRunId}) version ${version} ${field}: stored ${shown(stored)}, Temporal has ${shown(history)}`,
    );
  const more = differences.length > lines.length ? [`... and ${differences.length - lines.length} more`] : [];
  const unknown = gone.length > 0 ? `; ${gone.length} histories are no longer on the server` : '';
  return [...lines, ...more, `${events} events of ${runs} runs: ${differences.length} differences${unknown}`].join(
    '\n',
  );
}

function shown(value: unknown): string {
  const text = value === null ? 'nothing' : JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}
