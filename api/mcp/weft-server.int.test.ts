import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chooseOwnPassword, signInRequired, signUp, sure } from '../../tests/access.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';
import { ROOT } from '../../tests/source-files.ts';

const PUBLISH = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }';
const double = {
  name: 'double-it',
  description: 'Doubles a number.',
  input: { type: 'object', required: ['n'], properties: { n: { type: 'number' } } },
  nodes: [{ id: 'twice', type: 'transform', config: { value: 'input.n * 2.0' } }],
  edges: [],
  output: { twice: 'nodes.twice.output' },
};
const ask = {
  name: 'ask-first',
  nodes: [{ id: 'decide', type: 'approval', config: { title: 'Go on?' } }],
  edges: [],
  output: { decision: 'nodes.decide.output.decision' },
};

let doors: Doors;
let services: Awaited<ReturnType<typeof startRunServices>>;
let tokens: { developer: string; viewer: string; rival: string };
const clients: Client[] = [];

beforeAll(async () => {
  doors = await openDoors(signInRequired());
  services = await startRunServices(doors);
  const [developer, viewer] = [await signUp(doors, 'ada', ['developer']), await signUp(doors, 'vic', ['viewer'])];
  const create = 'mutation { createTenant(id: "rival") { admin { oneTimePassword } } }';
  const { admin } = (await sure(doors, create, {})).data.createTenant;
  const rival = await chooseOwnPassword(doors, 'admin', admin.oneTimePassword, 'rival');
  tokens = { developer: developer.token, viewer: viewer.token, rival: rival.token };
  for (const definition of [double, ask]) await sure(doors, PUBLISH, { definition }, tokens.developer);
}, 180_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await services?.stop();
  await doors?.close();
});

async function connect(token: string, mode: 'auto' | 'legacy' = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${doors.apiUrl}/mcp`), { requestInit }));
  clients.push(client);
  return client;
}
const names = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);
const structured = (result: { structuredContent?: unknown }) => result.structuredContent as Record<string, any>;

describe('weft as an MCP server', () => {
  it('answers nobody without a token, and says how to get in', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    for (const authorization of [undefined, 'Bearer wrong']) {
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const response = await fetch(`${doors.apiUrl}/mcp`, {
        method: 'POST',
        headers: { ...headers, ...(authorization ? { authorization } : {}) },
        body,
      });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    }
  });

  it.each(['auto', 'legacy'] as const)(
    'offers workflows as tools and runs them, to clients of the %s era',
    async (mode) => {
      const client = await connect(tokens.developer, mode);
      expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'auto' ? '2026-07-28' : '2025-11-25');
      const { tools } = await client.listTools();
      expect(tools.find(({ name }) => name === 'double-it')).toMatchObject({
        description: expect.stringContaining('Doubles a number.'),
        inputSchema: double.input,
      });
      const told: string[] = [];
      const result = await client.callTool(
        { name: 'double-it', arguments: { n: 21 } },
        { onprogress: ({ message }) => void told.push(message ?? ''), timeout: 60_000 },
      );
      expect(structured(result)).toMatchObject({ status: 'COMPLETED', output: { twice: 42 } });
      expect(told[0]).toContain(structured(result)['runId']);
      const wrong = await client.callTool({ name: 'double-it', arguments: { n: 'many' } });
      expect(wrong).toMatchObject({ isError: true, structuredContent: { code: 'INPUT_INVALID' } });
      await expect(client.callTool({ name: 'no-such-workflow', arguments: {} })).rejects.toMatchObject({
        code: -32_602,
      });
    },
    90_000,
  );

  it('shows to each caller what it may do', async () => {
    const viewer = await connect(tokens.viewer);
    expect(await names(viewer)).toEqual(['list_workflows', 'list_runs', 'get_run', 'watch_run']);
    const refused = await viewer.callTool({ name: 'start_run', arguments: { workflowId: 'double-it' } });
    expect(refused).toMatchObject({ isError: true, structuredContent: { code: 'ACCESS_DENIED' } });
    const rival = await connect(tokens.rival);
    expect(await names(rival)).toEqual(expect.arrayContaining(['start_run', 'cancel_run']));
    expect(await names(rival)).not.toContain('double-it');
    expect(structured(await rival.callTool({ name: 'list_runs', arguments: {} }))).toMatchObject({ totalCount: 0 });
    await expect(rival.callTool({ name: 'double-it', arguments: { n: 1 } })).rejects.toMatchObject({ code: -32_602 });
  }, 60_000);

  it('goes on with a run whose caller has gone; the same key finds it again', async () => {
    const first = await connect(tokens.developer);
    const call = { name: 'ask-first', arguments: {}, _meta: { 'weft.dev/idempotencyKey': 'call-1' } };
    const started = Promise.withResolvers<string>();
    const lost = first.callTool(call, {
      onprogress: ({ message = '' }) => started.resolve(message.split(' ')[0] ?? ''),
    });
    lost.catch(() => undefined);
    const runId = await started.promise;
    await first.close();

    const second = await connect(tokens.developer);
    const again = await second.callTool({ name: 'watch_run', arguments: { runId, waitMs: 0 } });
    expect(structured(again)).toMatchObject({ runId, status: expect.stringMatching(/PENDING|RUNNING|WAITING/) });
    const found = second.callTool(call, { timeout: 60_000 });
    const approve = () =>
      second.callTool({ name: 'approve_node', arguments: { runId, nodeId: 'decide', decision: 'APPROVED' } });
    let answer = await approve();
    while (structured(answer)['code'] === 'NOT_WAITING') answer = await approve();
    expect(answer.isError).toBe(false);
    expect(structured(await found)).toMatchObject({ runId, status: 'COMPLETED', output: { decision: 'APPROVED' } });
    const listed = await second.callTool({ name: 'list_runs', arguments: { workflowId: 'ask-first' } });
    expect(structured(listed)).toMatchObject({ totalCount: 1 });
  }, 90_000);

  it('stops a run that is asked to stop', async () => {
    const client = await connect(tokens.developer);
    const started = await client.callTool({ name: 'start_run', arguments: { workflowId: 'ask-first' } });
    const { runId } = structured(started);
    const stopped = await client.callTool({ name: 'cancel_run', arguments: { runId, reason: 'enough' } });
    expect(stopped.isError).toBe(false);
    const end = await client.callTool({ name: 'watch_run', arguments: { runId } }, { timeout: 60_000 });
    expect(end).toMatchObject({ isError: true, structuredContent: { status: 'CANCELLED' } });
    const wrong = await client.callTool({ name: 'get_run', arguments: { runId: 5 } });
    expect(wrong).toMatchObject({ isError: true, structuredContent: { code: 'INPUT_INVALID' } });
    const none = await client.callTool({ name: 'get_run', arguments: { runId: 'run-nowhere' } });
    expect(none).toMatchObject({ isError: true, structuredContent: { code: 'NOT_FOUND' } });
  }, 90_000);

  it('is served over stdio by the command, with the same tools', async () => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    clients.push(client);
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [
          join(ROOT, 'cli/src/main.ts'),
          'mcp',
          'serve',
          '--api',
          doors.apiUrl,
          '--url',
          `${doors.gatewayUrl}/graphql`,
        ],
        env: { PATH: process.env['PATH'] ?? '', WEFT_TOKEN: tokens.developer },
        stderr: 'inherit',
      }),
    );
    expect(client.getServerVersion()).toMatchObject({ name: 'weft' });
    expect(await names(client)).toEqual(expect.arrayContaining(['double-it', 'watch_run']));
    const told: string[] = [];
    const result = await client.callTool(
      { name: 'double-it', arguments: { n: 4 } },
      { onprogress: ({ message }) => void told.push(message ?? ''), timeout: 60_000 },
    );
    expect(structured(result)).toMatchObject({ status: 'COMPLETED', output: { twice: 8 } });
    expect(told.length).toBeGreaterThan(0);
  }, 90_000);
});
