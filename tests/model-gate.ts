import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ModelGate = Awaited<ReturnType<typeof startModelGate>>;

/** Stands before a server of models: counts what is asked of it, and can keep answers back. */
export async function startModelGate(target: string) {
  const asked: { body: { messages: { role: string; content: unknown }[] } }[] = [];
  let closed = false;
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      asked.push({ body: JSON.parse(body.toString()) as never });
      if (closed) return void held.push(response);
      void passOn(`${target}${request.url}`, body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    shut: () => void (closed = true),
    open(): void {
      closed = false;
      for (const response of held.splice(0)) response.destroy();
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function passOn(url: string, body: Buffer<ArrayBuffer>, response: ServerResponse): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-test' };
  const answer = await fetch(url, { method: 'POST', headers, body });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
