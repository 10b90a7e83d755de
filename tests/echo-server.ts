import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Heard = { path: string; headers: NodeJS.Dict<string | string[]>; body: unknown };

/** Answers every request with the same JSON and keeps what was asked, as it came. */
export async function startEchoServer(
  answer: (heard: Heard) => unknown,
): Promise<{ url: string; heard: Heard[]; server: Server }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null') as unknown,
      };
      heard.push(one);
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(one)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, server };
}
