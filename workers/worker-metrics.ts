import { collectDefaultMetrics, Registry } from 'prom-client';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';

const CORE_MS = 2_000;

export type WorkerMetrics = { registry: Registry } & MetricsServer;

/**
 * One page of the process's own metrics and of those that Temporal's core gives out on a port of its own. A core that does not
 * answer leaves a gap, not an error.
 */
export async function startWorkerMetrics(
  { host, port }: { host: string; port: number },
  corePort: number,
): Promise<WorkerMetrics> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const page = {
    contentType: registry.contentType,
    metrics: async () => (await registry.metrics()) + (await coreMetrics(corePort)),
  };
  return { registry, ...(await startMetricsServer(page, { host, port })) };
}

async function coreMetrics(port: number): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(CORE_MS) });
    return answer.ok ? `\n${await answer.text()}` : '';
  } catch {
    return '';
  }
}
