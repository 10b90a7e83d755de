import type pg from 'pg';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type FlowFigures, readFlowFigures, WAITING_FOR } from '../adapters/postgres/flow-figures.ts';

export type DispatcherMetrics = { admitted: Counter; waitingRuns: Gauge<'policy'>; oldestWait: Gauge; leases: Gauge };

/** However many ask for the page, Postgres is asked this often. */
const FRESH_MS = 5_000;

/** What this process admits, and how flow control stands in the database, which every process tells alike. */
export function createDispatcherMetrics(registry: Registry, pool: pg.Pool): DispatcherMetrics {
  const registers = [registry];
  const figures = recentFigures(pool);
  const waitingRuns = new Gauge({
    name: 'weft_flow_waiting_runs',
    help: 'Runs that have not begun, by what holds them up',
    labelNames: ['policy'],
    registers,
    async collect() {
      const { waiting } = await figures();
      for (const policy of WAITING_FOR) this.set({ policy }, waiting.get(policy) ?? 0);
    },
  });
  const oldestWait = new Gauge({
    name: 'weft_flow_oldest_wait_seconds',
    help: 'How long the run that has waited longest for its admission has waited',
    registers,
    async collect() {
      this.set((await figures()).oldestWaitMs / 1_000);
    },
  });
  const leases = new Gauge({
    name: 'weft_flow_leases',
    help: 'Places of concurrency and singleton policies that are held',
    registers,
    async collect() {
      this.set((await figures()).leases);
    },
  });
  const admitted = new Counter({
    name: 'weft_flow_admissions_total',
    help: 'Runs that this process has admitted',
    registers,
  });
  return { admitted, waitingRuns, oldestWait, leases };
}

function recentFigures(pool: pg.Pool): () => Promise<FlowFigures> {
  let read: { at: number; figures: Promise<FlowFigures> } | undefined;
  return () => {
    if (read === undefined || performance.now() - read.at > FRESH_MS) {
      read = { at: performance.now(), figures: readFlowFigures(pool) };
      read.figures.catch(() => (read = undefined));
    }
    return read.figures;
  };
}
