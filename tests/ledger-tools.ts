import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../domain/json.ts';

const LISTED = [
  {
    name: 'look',
    description: 'Looks up the price of a thing.',
    inputSchema: { type: 'object', required: ['thing'], properties: { thing: { type: 'string' } } },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'charge',
    description: 'Charges a card; twice when called twice.',
    inputSchema: { type: 'object', required: ['cents'], properties: { cents: { type: 'number' } } },
  },
];

export type LedgerTools = Awaited<ReturnType<typeof startLedgerTools>>;

/** An MCP server over Streamable HTTP whose tools write down every call of them; `hold` keeps the answers of one back. */
export async function startLedgerTools() {
  const calls: { tool: string; arguments: JsonObject; key: unknown }[] = [];
  const held = new Map<string, ServerResponse[]>();
  const holding = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as Call;
      if (id === undefined) return void response.writeHead(202).end();
      const answer = (rest: object) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...rest }));
      if (method === 'tools/call' && params) {
        const tool = String(params['name']);
        calls.push({ tool, arguments: params['arguments'] as JsonObject, key: keyOf(params) });
        if (holding.has(tool)) return void held.set(tool, [...(held.get(tool) ?? []), response]);
        return void answer({ result: { content: [{ type: 'text', text: tool === 'look' ? '40 cents' : 'charged' }] } });
      }
      if (method === 'tools/list') return void answer({ result: { tools: LISTED } });
      if (method === 'ping') return void answer({ result: {} });
      if (method !== 'initialize') return void answer({ error: { code: -32601, message: 'no such method' } });
      const protocolVersion = params?.['protocolVersion'];
      const serverInfo = { name: 'ledger', version: '1.0.0' };
      answer({ result: { protocolVersion, serverInfo, capabilities: { tools: {} } } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls,
    callsOf: (tool: string) => calls.filter((call) => call.tool === tool),
    hold: (tool: string) => void holding.add(tool),
    release(tool: string): void {
      holding.delete(tool);
      for (const response of held.get(tool) ?? []) response.destroy();
      held.delete(tool);
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Call = { id?: number; method: string; params?: JsonObject };
const keyOf = ({ _meta: meta }: JsonObject): unknown => (meta as JsonObject | undefined)?.['weft.dev/idempotencyKey'];
