import { AppError } from '../../domain/errors.ts';
import type { Replica } from '../../domain/tools/choose-replica.ts';
import type { McpConnection } from './mcp-connection.ts';

type Pooled = { connection: Promise<McpConnection>; active: number; usedAt: number };
/** A replica with the connections to it. */
export type Site = Replica & { pooled: Pooled[]; openUntil: number };

const IDLE_MS = 300_000;
/** Failures in a row that stop calls for a while. */
const THRESHOLD = 3;
const OPEN_MS = 1_000;
const LONGEST_OPEN_MS = 60_000;
const LATENCY_WEIGHT = 0.2;

export const newSite = (url: string, weight: number): Site => ({
  url,
  weight,
  active: 0,
  failures: 0,
  latencyMs: null,
  open: false,
  openUntil: 0,
  pooled: [],
});

export type SiteUse<Result> = {
  server: string;
  poolSize: number;
  connect: () => Promise<McpConnection>;
  use: (connection: McpConnection) => Promise<Result>;
};

/** @throws TOOL_SERVER_UNAVAILABLE with `sent` false where there is no connection, and whatever `use` throws */
export async function useSite<Result>(site: Site, request: SiteUse<Result>, now: () => number): Promise<Result> {
  const pooled = take(site, request, now());
  pooled.active += 1;
  try {
    const connection = await connected(pooled, request.server);
    return await request.use(connection);
  } finally {
    pooled.active -= 1;
    pooled.usedAt = now();
    if (!(await isOpen(pooled))) drop(site, pooled);
  }
}

/** The least busy connection; a new one while all are busy and there may be more. */
function take<Result>(site: Site, { poolSize, connect }: SiteUse<Result>, at: number): Pooled {
  const least = site.pooled.toSorted((left, right) => left.active - right.active)[0];
  if (least && (least.active === 0 || site.pooled.length >= poolSize)) return least;
  const pooled = { connection: connect(), active: 0, usedAt: at };
  site.pooled.push(pooled);
  return pooled;
}

async function connected({ connection }: Pooled, server: string): Promise<McpConnection> {
  const unavailable = (detail: string, cause?: unknown) =>
    new AppError('TOOL_SERVER_UNAVAILABLE', { server, detail, sent: false }, cause);
  const made = await connection.catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    throw unavailable(error instanceof Error ? error.message : String(error), error);
  });
  if (!made.isOpen()) throw unavailable('the connection was closed');
  return made;
}

const isOpen = ({ connection }: Pooled): Promise<boolean> =>
  connection.then(
    (made) => made.isOpen(),
    () => false,
  );

function drop(site: Site, pooled: Pooled): void {
  site.pooled = site.pooled.filter((other) => other !== pooled);
  void closed(pooled);
}

const closed = ({ connection }: Pooled): Promise<void> =>
  connection.then((made) => made.close()).catch(() => undefined);

/** What a call says of the replica: its latency, or one failure more, after some of which it is left alone for a while. */
export function settle(site: Site, outcome: { tookMs: number } | { failedAt: number; random: number }): void {
  if ('tookMs' in outcome) {
    const { tookMs } = outcome;
    site.latencyMs = site.latencyMs === null ? tookMs : site.latencyMs * (1 - LATENCY_WEIGHT) + tookMs * LATENCY_WEIGHT;
    site.failures = 0;
    site.openUntil = 0;
    return;
  }
  site.failures += 1;
  const beyond = site.failures - THRESHOLD;
  if (beyond < 0) return;
  const longest = Math.min(OPEN_MS * 2 ** beyond, LONGEST_OPEN_MS);
  site.openUntil = outcome.failedAt + longest * (0.5 + outcome.random / 2);
}

export function evictIdle(site: Site, at: number): void {
  for (const pooled of site.pooled) if (pooled.active === 0 && at - pooled.usedAt > IDLE_MS) drop(site, pooled);
}

export async function closeSite({ pooled }: Site): Promise<void> {
  await Promise.all(pooled.map(closed));
}
