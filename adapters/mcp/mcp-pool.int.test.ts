import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import { MCP_DEFAULTS } from '../../domain/tools/mcp-server.ts';
import { findFreePort } from '../embedded/free-port.ts';
import { callTool } from './call-tool.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { createMcpPool, type McpPool, type OpenServer } from './mcp-pool.ts';
import { createToolListings, listTools, openToolServer, toolHash } from './open-tool-server.ts';

const EVERYTHING = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);
const never = new AbortController().signal;
const at = new Date(0);

const server = (fields: Partial<OpenServer>): OpenServer => ({
  ...MCP_DEFAULTS,
  tenantId: DEFAULT_TENANT,
  id: 'everything',
  transport: 'stdio',
  command: process.execPath,
  args: [EVERYTHING, 'stdio'],
  endpoints: [],
  secretNames: [],
  allowedTools: null,
  idempotentTools: [],
  enabled: true,
  revision: 1,
  createdAt: at,
  updatedAt: at,
  secrets: {},
  ...fields,
});
const echo = { tool: 'echo', arguments: { message: 'hello' }, idempotencyKey: 'k' };

let pool: McpPool;
let guarded: ReturnType<typeof createGuardedFetch>;
const replicas: { process: ChildProcess; url: string }[] = [];

/** The reference server over Streamable HTTP, in a process of its own. */
async function startReplica(): Promise<{ process: ChildProcess; url: string }> {
  const port = await findFreePort(0, new Set());
  const child = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const replica = { process: child, url: `http://127.0.0.1:${port}/mcp` };
  replicas.push(replica);
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(replica.url).catch(() => null);
    if (answer) return replica;
    if (tries > 200) throw new Error('the reference server does not answer');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(() => {
  guarded = createGuardedFetch(['127.0.0.1']);
  const policy = { stdioCommands: [process.execPath], allowedHosts: ['127.0.0.1'], fetch: guarded.fetch };
  pool = createMcpPool({ policy });
});
afterAll(async () => {
  await pool.close();
  await guarded.close();
  for (const { process: child } of replicas) child.kill('SIGKILL');
});

const peer = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`, import.meta.url));

describe('reference servers', () => {
  it('keep what they were told over calls', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-memory-'));
    const memory = server({
      ...{ id: 'memory', args: [peer('memory')] },
      secrets: { MEMORY_FILE_PATH: join(folder, 'memory.json') },
    });
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['writes programs'] }];
    const made = { tool: 'create_entities', arguments: { entities }, idempotencyKey: 'm1' };
    expect(await callTool(pool, memory, made, never)).toMatchObject({ isError: false });
    const asked = { tool: 'search_nodes', arguments: { query: 'programs' }, idempotencyKey: 'm2' };
    expect((await callTool(pool, memory, asked, never)).text).toContain('Ada');
    await rm(folder, { recursive: true });
  }, 60_000);

  it('read and write files of their folder alone', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'weft-files-')));
    const files = server({ id: 'filesystem', args: [peer('filesystem'), folder] });
    const path = join(folder, 'note.txt');
    const write = { tool: 'write_file', arguments: { path, content: 'Light bends.' }, idempotencyKey: 'f1' };
    expect(await callTool(pool, files, write, never)).toMatchObject({ isError: false });
    expect(await readFile(path, 'utf8')).toBe('Light bends.');
    const outside = { tool: 'read_text_file', arguments: { path: '/etc/hostname' }, idempotencyKey: 'f2' };
    expect(await callTool(pool, files, outside, never)).toMatchObject({ isError: true });
    await rm(folder, { recursive: true });
  }, 60_000);
});

describe('MCP servers over stdio', () => {
  it('are started once and answer many calls', async () => {
    const local = server({});
    const tools = await listTools(pool, local, never);
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    const results = await Promise.all(Array.from({ length: 20 }, () => callTool(pool, local, echo, never)));
    expect(new Set(results.map(({ text }) => text))).toEqual(new Set(['Echo: hello']));
    const [health] = pool.health(local);
    expect(health).toMatchObject({ active: 0, failures: 0, open: false });
    expect(health?.connections).toBeLessThanOrEqual(local.poolSize);
  }, 60_000);

  it('are not started by a command that nobody allowed', async () => {
    const other = server({ id: 'shell', command: '/bin/sh', args: ['-c', 'exit 1'] });
    await expect(callTool(pool, other, echo, never)).rejects.toMatchObject({ code: 'TOOL_SERVER_DENIED' });
  });

  it('say what a wrong call is, and cap what comes back', async () => {
    const local = server({ maxResultBytes: 1_024 });
    const wrong = await callTool(pool, local, { ...echo, arguments: { message: 7 } }, never);
    expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('-32602') });
    const long = { ...echo, arguments: { message: 'x'.repeat(2_000) } };
    await expect(callTool(pool, local, long, never)).rejects.toMatchObject({ code: 'TOOL_RESULT_TOO_LARGE' });
  }, 60_000);

  it('are asked for a tool only if it is allowed and what it was when it was pinned', async () => {
    const local = server({ allowedTools: ['echo', 'get-sum'] });
    const listings = createToolListings(pool);
    const described = (await listTools(pool, local, never)).find(({ name }) => name === 'echo')!;
    const pins = [{ tool: 'echo', hash: toolHash(described), pinnedAt: at }];
    const pinned = openToolServer(pool, listings, local, pins);
    await expect(pinned.describe('echo', never)).resolves.toMatchObject({ name: 'echo' });
    await expect(pinned.describe('get-sum', never)).rejects.toMatchObject({ code: 'TOOL_CHANGED' });
    await expect(pinned.describe('get-env', never)).rejects.toMatchObject({ code: 'TOOL_NOT_ALLOWED' });
    const unpinned = openToolServer(pool, listings, server({}), []);
    await expect(unpinned.describe('nothing', never)).rejects.toMatchObject({ code: 'TOOL_REFUSED' });
    const changed = openToolServer(pool, listings, local, [{ ...pins[0]!, hash: 'another' }]);
    await expect(changed.describe('echo', never)).rejects.toMatchObject({ code: 'TOOL_CHANGED' });
  }, 60_000);
});

describe('MCP servers over HTTP', () => {
  it('share their calls out, and go on without a replica that died', async () => {
    const [first, second] = [await startReplica(), await startReplica()];
    const endpoints = [first, second].map(({ url }) => ({ url, weight: 1 }));
    const remote = server({ id: 'remote', transport: 'http', command: null, endpoints, balancing: 'round_robin' });
    for (let call = 0; call < 4; call += 1) await callTool(pool, remote, echo, never);
    expect(pool.health(remote).map(({ latencyMs }) => latencyMs === null)).toEqual([false, false]);
    first.process.kill('SIGKILL');
    const outcomes = [];
    for (let call = 0; call < 12; call += 1) {
      outcomes.push(
        await callTool(pool, remote, echo, never).then(
          ({ text }) => text,
          ({ code }) => code,
        ),
      );
    }
    expect(outcomes.slice(-4)).toEqual(Array.from({ length: 4 }, () => 'Echo: hello'));
    expect(outcomes.filter((outcome) => outcome === 'TOOL_SERVER_UNAVAILABLE').length).toBeLessThanOrEqual(4);
  }, 60_000);

  it('are not reached at private addresses that the settings do not name', async () => {
    const strict = createGuardedFetch([]);
    const guardedPool = createMcpPool({ policy: { stdioCommands: [], allowedHosts: [], fetch: strict.fetch } });
    const inside = server({
      id: 'inside',
      transport: 'http',
      command: null,
      endpoints: [{ url: 'http://169.254.169.254/mcp', weight: 1 }],
    });
    await expect(callTool(guardedPool, inside, echo, never)).rejects.toMatchObject({ code: 'HTTP_ADDRESS_DENIED' });
    await guardedPool.close();
    await strict.close();
  });

  it('hear of a call that is given up', async () => {
    const local = server({});
    const giving = new AbortController();
    const slow = {
      tool: 'trigger-long-running-operation',
      arguments: { duration: 30, steps: 30 },
      idempotencyKey: null,
    };
    const call = callTool(pool, local, slow, giving.signal);
    setTimeout(() => giving.abort(new Error('enough')), 300);
    await expect(call).rejects.toThrow('enough');
  }, 30_000);
});
