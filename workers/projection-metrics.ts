import type pg from 'pg';
import { Gauge, type Registry } from 'prom-client';
import { type ProjectionFigures, readProjectionFigures } from '../adapters/postgres/projections/projection-figures.ts';

/** However many ask for the page, Postgres is asked this often. */
const FRESH_MS = 5_000;

/** How projections stand in the database, which every process tells alike; of all tenants, at the one that is furthest behind. */
export function registerProjectionMetrics(registry: Registry, pool: pg.Pool): void {
  let read: { at: number; figures: Promise<ProjectionFigures[]> } | undefined;
  const figures = () => {
    if (read === undefined || performance.now() - read.at > FRESH_MS) {
      read = { at: performance.now(), figures: readProjectionFigures(pool) };
      read.figures.catch(() => (read = undefined));
    }
    return read.figures;
  };
  const gauge = (name: string, help: string, of: (one: ProjectionFigures) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['projection'],
      registers: [registry],
      async collect() {
        for (const one of await figures()) this.set({ projection: one.name }, of(one));
      },
    });
  gauge('weft_projection_lag_events', 'Events that a projection has not taken in yet', ({ lagEvents }) => lagEvents);
  gauge(
    'weft_projection_lag_seconds',
    'How long ago the first event was stored that a projection has not taken in yet',
    ({ lagMs }) => lagMs / 1_000,
  );
  gauge('weft_projection_failed', '1 while a projection cannot take in an event', ({ failed }) => Number(failed));
  gauge('weft_projection_rebuilding', '1 while a projection is being built again', ({ building }) => Number(building));
}
