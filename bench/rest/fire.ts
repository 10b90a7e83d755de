import autocannon from 'autocannon';
import { cpuSeconds } from '../process-cpu.ts';
import { quantile } from '../report.ts';

export type Shots = { requests: number; perSecond: number; latenciesMs: number[]; failed: number; cpuMs: number };
type Target = { url: string; pids: readonly number[]; body?: (n: number) => string; token?: string };

/** Sends until `amount` were answered or `seconds` are over, by so many connections; anything but 2xx has failed. */
export async function fire(
  { url, pids, body, token }: Target,
  { connections, amount, seconds }: { connections: number; amount?: number; seconds?: number },
): Promise<Shots> {
  const latenciesMs: number[] = [];
  const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  let sent = 0;
  const setupRequest = (request: autocannon.Request) => ({ ...request, body: body?.((sent += 1)) });
  const before = cpu();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        ...{ url, connections, headers, method: body === undefined ? 'GET' : 'POST' },
        ...(amount === undefined ? { duration: seconds ?? 10 } : { amount }),
        ...(body === undefined ? {} : { requests: [{ setupRequest }] }),
      },
      (error, done) => (error ? reject(error as Error) : resolve(done)),
    );
    instance.on('response', (_client, _status, _bytes, ms) => latenciesMs.push(ms));
  });
  const requests = result['2xx'];
  return {
    ...{ requests, latenciesMs, perSecond: requests / result.duration },
    failed: result.errors + result.timeouts + result.non2xx,
    cpuMs: ((cpu() - before) * 1000) / Math.max(1, requests),
  };
}

export function latencies({ latenciesMs }: Pick<Shots, 'latenciesMs'>): { average: number; p95: number; p99: number } {
  const average = latenciesMs.reduce((sum, ms) => sum + ms, 0) / latenciesMs.length;
  return { average, p95: quantile(latenciesMs, 0.95), p99: quantile(latenciesMs, 0.99) };
}
