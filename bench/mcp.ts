import { type ChildProcess, spawn } from 'node:child_process';
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { createGuardedFetch } from '../adapters/mcp/guarded-fetch.ts';
import { createMcpPool, type OpenServer } from '../adapters/mcp/mcp-pool.ts';
import { createToolListings, openToolServer } from '../adapters/mcp/open-tool-server.ts';
import { DEFAULT_TENANT } from '../domain/identifiers.ts';
import { MCP_DEFAULTS } from '../domain/tools/mcp-server.ts';
import { type BenchResult, compared, median } from './report.ts';

const CALLS = Number(process.env['BENCH_CALLS'] ?? 1_000);
const WARM_UP = 50;
const EVERYTHING = 'node_modules/@modelcontextprotocol/server-everything/dist/index.js';
const HOST = '127.0.0.1';
const never = new AbortController().signal;

/** A call through pool, allow-list, pins and caps beside the SDK's own call of the same server, one after the other in turns. */
export async function mcp(): Promise<BenchResult[]> {
  const stdio = new StdioClientTransport({
    command: process.execPath,
    args: [EVERYTHING, 'stdio'],
    stderr: 'ignore',
  });
  const overStdio = await measure('stdio', stdio, {
    transport: 'stdio',
    command: process.execPath,
    args: [EVERYTHING, 'stdio'],
  });
  const { child, url } = await startHttp();
  try {
    const endpoints = [{ url, weight: 1 }];
    const http = await measure('Streamable HTTP', new StreamableHTTPClientTransport(new URL(url)), {
      transport: 'http',
      endpoints,
    });
    return [overStdio, http];
  } finally {
    child.kill();
  }
}

async function measure(name: string, transport: Transport, way: Partial<OpenServer>): Promise<BenchResult> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  const guarded = createGuardedFetch([HOST]);
  const policy = { stdioCommands: [process.execPath], allowedHosts: [HOST], fetch: guarded.fetch };
  const pool = createMcpPool({ policy });
  const opened = openToolServer(pool, createToolListings(pool), server(way), []);
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let call = 0; call < CALLS + WARM_UP; call += 1) {
    const given = { message: `hello ${call}` };
    const weft = await timed(async () => {
      await opened.describe('echo', never);
      const request = { tool: 'echo', arguments: given, idempotencyKey: String(call), onProgress: () => undefined };
      await opened.call(request, never);
    });
    const sdk = await timed(() => client.callTool({ name: 'echo', arguments: given }));
    if (call < WARM_UP) continue;
    ours.push(weft);
    bare.push(sdk);
  }
  await Promise.all([client.close(), pool.close()]);
  await guarded.close();
  return compared({
    name: `MCP call over ${name} against the SDK's own, p50 of ${CALLS}`,
    unit: 'ms',
    value: median(ours),
    baseline: median(bare),
    goal: { atMost: 1.2 },
  });
}

const server = (way: Partial<OpenServer>): OpenServer => ({
  ...MCP_DEFAULTS,
  ...{ tenantId: DEFAULT_TENANT, id: 'everything', transport: 'stdio', command: null, args: [], endpoints: [] },
  ...{ secretNames: [], allowedTools: null, idempotentTools: [], enabled: true, revision: 1, secrets: {} },
  ...{ createdAt: new Date(0), updatedAt: new Date(0) },
  ...way,
});

async function startHttp(): Promise<{ child: ChildProcess; url: string }> {
  const port = await findFreePort(0, new Set());
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], { env, stdio: 'ignore' });
  const url = `http://${HOST}:${port}/mcp`;
  for (let tries = 0; tries < 200; tries += 1) {
    if (await fetch(url).catch(() => null)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { child, url };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
