import { createServer } from 'node:net';
import { AppError } from '../../domain/errors.ts';

/**
 * The wanted port when it is free on `host`, else the next free one that is not in `taken`; 0 asks the system for any.
 * The answer is added to `taken`, so that several calls before anything listens do not get the same port.
 */
export async function findFreePort(wanted: number, taken: Set<number>, host = '127.0.0.1'): Promise<number> {
  for (let port = wanted; port <= 65_535; port = port === 0 ? 0 : port + 1) {
    if (taken.has(port)) continue;
    const bound = await tryListen(port, host);
    if (bound === null || taken.has(bound)) continue;
    taken.add(bound);
    return bound;
  }
  throw new AppError('SETUP_INCOMPLETE', { detail: `No free port from ${wanted} upwards` });
}

function tryListen(port: number, host: string): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolve(bound));
    });
  });
}
