import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const HANDLED_MS = 150;

/** What the recorded runs call: /ok, /slow, /large, /missing, /hang, and /second-time/<key>, which fails the first time. */
export async function answerCalls(): Promise<{ host: string; close: () => Promise<void> }> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    request.resume();
    if (path === '/hang') return;
    if (path === '/missing') return void response.writeHead(404).end('nothing here');
    if (path.startsWith('/second-time/') && !seen.has(path)) {
      seen.add(path);
      return void response.writeHead(503).end();
    }
    const body = path === '/large' ? 'weft '.repeat(3_400) : 'ok';
    setTimeout(() => response.end(body), path === '/slow' ? HANDLED_MS : 0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
