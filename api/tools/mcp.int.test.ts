import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { ROOT } from '../../tests/source-files.ts';

const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const SAVE = `mutation ($input: McpServerInput!) { saveMcpServer(input: $input) {
  id transport command args endpoints { url weight } secretNames allowedTools balancing timeoutMs revision } }`;
const TEST = `mutation ($id: ID!) { testMcpServer(id: $id) {
  protocolVersion serverName tools { name readOnly hash } drift { tool kind } } }`;
const CALL = `mutation ($id: ID!, $tool: String!, $arguments: JSON) {
  callMcpTool(id: $id, tool: $tool, arguments: $arguments) { text isError } }`;
const PIN = 'mutation ($id: ID!, $tools: [String!]) { pinMcpTools(id: $id, tools: $tools) { name } }';

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors({ WEFT_SECRET_KEY: 'k'.repeat(40), WEFT_MCP_STDIO_COMMANDS: process.execPath });
}, 120_000);
afterAll(() => doors?.close());

const everything = { id: 'everything', transport: 'STDIO', command: process.execPath, args: [EVERYTHING, 'stdio'] };
const codeOf = async (query: string, variables: object): Promise<string | undefined> =>
  (await doors.ask(query, { ...variables })).errors?.[0].extensions.code;

describe('MCP servers through the graph', () => {
  it('are registered, tested, called, and changed in part', async () => {
    const { data } = await doors.ask(SAVE, { input: everything });
    expect(data.saveMcpServer).toMatchObject({
      id: 'everything',
      transport: 'STDIO',
      balancing: 'HEALTH',
      revision: 1,
    });
    const test = (await doors.ask(TEST, { id: 'everything' })).data.testMcpServer;
    expect(test.tools.map(({ name }: { name: string }) => name)).toContain('get-sum');
    expect(test.protocolVersion).toMatch(/^20\d\d-/);
    const sum = await doors.ask(CALL, { id: 'everything', tool: 'get-sum', arguments: { a: 2, b: 3 } });
    expect(sum.data.callMcpTool).toEqual({ text: 'The sum of 2 and 3 is 5.', isError: false });
    const changed = await doors.ask(SAVE, { input: { id: 'everything', timeoutMs: 5_000 } });
    expect(changed.data.saveMcpServer).toMatchObject({ command: process.execPath, timeoutMs: 5_000, revision: 2 });
  }, 60_000);

  it('keep secrets sealed: names are shown, values are nowhere in the database', async () => {
    const input = {
      id: 'remote',
      transport: 'HTTP',
      endpoints: [{ url: 'https://mcp.example.org/mcp' }],
      secrets: { authorization: 'Bearer very-secret-token' },
    };
    const { data } = await doors.ask(SAVE, { input });
    expect(data.saveMcpServer).toMatchObject({ secretNames: ['authorization'] });
    const { rows } = await doors.pool.query('SELECT row_to_json(mcp_servers)::text AS row FROM mcp_servers');
    expect(JSON.stringify(rows)).not.toContain('very-secret-token');
  });

  it('say what is wrong with a registration', async () => {
    const wrong = [
      { id: 'Bad Name', transport: 'HTTP', endpoints: [{ url: 'https://a.example' }] },
      { id: 'none', transport: 'HTTP' },
      { id: 'file', transport: 'HTTP', endpoints: [{ url: 'file:///etc/passwd' }] },
      { id: 'pass', transport: 'HTTP', endpoints: [{ url: 'https://me:word@a.example' }] },
      { id: 'both', transport: 'STDIO', command: 'x', endpoints: [{ url: 'https://a.example' }] },
      { id: 'new' },
      { id: 'numbers', transport: 'HTTP', endpoints: [{ url: 'https://a.example' }], secrets: { a: 1 } },
    ];
    for (const input of wrong) expect([input.id, await codeOf(SAVE, { input })]).toEqual([input.id, 'INPUT_INVALID']);
    expect(await codeOf(TEST, { id: 'nobody' })).toBe('NOT_FOUND');
    await doors.ask(SAVE, { input: { id: 'shell', transport: 'STDIO', command: '/bin/sh' } });
    expect(await codeOf(TEST, { id: 'shell' })).toBe('TOOL_SERVER_DENIED');
  });

  it('are called only for tools that are allowed and as they were pinned', async () => {
    const id = 'everything';
    await doors.ask(SAVE, { input: { id, allowedTools: ['echo', 'get-sum'] } });
    expect(await codeOf(CALL, { id, tool: 'get-env' })).toBe('TOOL_NOT_ALLOWED');
    expect(await codeOf(PIN, { id, tools: ['nothing'] })).toBe('INPUT_INVALID');
    expect((await doors.ask(PIN, { id, tools: ['echo'] })).data.pinMcpTools).toEqual([{ name: 'echo' }]);
    expect(await codeOf(CALL, { id, tool: 'get-sum', arguments: { a: 1, b: 1 } })).toBe('TOOL_CHANGED');
    expect((await doors.ask(CALL, { id, tool: 'echo', arguments: { message: 'x' } })).data.callMcpTool.isError).toBe(
      false,
    );
    await doors.pool.query(`UPDATE mcp_tool_pins SET hash = 'another'`);
    expect(await codeOf(CALL, { id, tool: 'echo', arguments: { message: 'x' } })).toBe('TOOL_CHANGED');
    const { drift } = (await doors.ask(TEST, { id })).data.testMcpServer;
    expect(drift).toContainEqual({ tool: 'echo', kind: 'CHANGED' });
    expect((await doors.ask(PIN, { id, tools: [] })).data.pinMcpTools).toEqual([]);
    expect((await doors.ask('mutation { removeMcpServer(id: "everything") }', {})).data.removeMcpServer).toBe(true);
    expect(await codeOf('mutation { removeMcpServer(id: "everything") }', {})).toBe('NOT_FOUND');
  }, 60_000);

  it('leave a record of what people do with them', async () => {
    const id = 'recorded';
    await doors.ask(SAVE, { input: { ...everything, id } });
    await doors.ask(CALL, { id, tool: 'echo', arguments: { message: 'hello' } });
    expect(await codeOf(CALL, { id, tool: 'nothing' })).toBe('TOOL_REFUSED');
    expect(await codeOf(CALL, { id, tool: 'trigger-elicitation-request' })).toBe('TOOL_INPUT_REQUIRED');
    await doors.ask(PIN, { id, tools: ['echo'] });
    await doors.pool.query(`UPDATE mcp_tool_pins SET hash = 'another'`);
    for (const _ of [1, 2]) await doors.ask(TEST, { id });
    await doors.ask('mutation { removeMcpServer(id: "recorded") }', {});
    const { data } = await doors.ask(`{ eventStream(id: "mcp_server/recorded") { type payload } }`, {});
    const events = data.eventStream as { type: string; payload: Record<string, unknown> }[];
    expect(events.filter(({ type }) => type !== 'mcp_server.drifted').map(({ type }) => type)).toEqual([
      'mcp_server.saved',
      ...['mcp_server.called', 'mcp_server.called', 'mcp_server.called'],
      'mcp_server.pinned',
      'mcp_server.removed',
    ]);
    expect(events[1]?.payload).toMatchObject({ tool: 'echo', outcome: 'OK', isError: false });
    expect(events[2]?.payload).toMatchObject({ outcome: 'FAILED', error: { code: 'TOOL_REFUSED' } });
    const changed = events.filter(({ payload }) => payload['difference'] === 'CHANGED');
    expect(changed.map(({ payload }) => payload['tool'])).toEqual(['echo']);
  }, 60_000);
});
