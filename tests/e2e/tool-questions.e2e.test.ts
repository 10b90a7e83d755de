import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { ROOT } from '../source-files.ts';
import { type Stack, startStack } from './stack.ts';

const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const calling = (name: string, server: string, tool: string): WorkflowDefinition => ({
  name,
  nodes: [{ id: 'call', type: 'tool.call', config: { server, tool, arguments: { app: '"shop"' } } }],
  edges: [],
  output: { said: 'nodes.call.output.text' },
});
const ANSWER = `mutation ($runId: ID!, $decision: ApprovalDecision!, $data: JSON) {
  approve(runId: $runId, nodeId: "call", decision: $decision, data: $data) { id } }`;
const INPUT = 'query ($id: ID!) { run(id: $id) { nodes { status input } effects { state key error { code } } } }';

let stack: Stack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-asking-'));
  stack = await startStack({ env: { WEFT_MCP_STDIO_COMMANDS: process.execPath } });
  const servers = {
    asking: [join(ROOT, 'tests/mcp-asking-server.ts'), join(folder, 'deployed')],
    everything: [EVERYTHING, 'stdio'],
  };
  for (const [id, args] of Object.entries(servers)) {
    const save = 'mutation ($input: McpServerInput!) { saveMcpServer(input: $input) { id } }';
    const input = { id, transport: 'STDIO', command: process.execPath, args };
    expect((await stack.graphql.send(save, { input })).errors).toBeUndefined();
  }
  await stack.graphql.publish(calling('ask-new', 'asking', 'deploy'));
  await stack.graphql.publish(calling('ask-old', 'everything', 'trigger-elicitation-request'));
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const answer = async (runId: string, decision: string, data?: object) =>
  (await stack.graphql.send<any>(ANSWER, { runId, decision, data })).errors?.[0]?.extensions?.['code'];
async function questionOf(runId: string): Promise<string> {
  const { data } = await stack.graphql.send<any>(INPUT, { id: runId });
  return data.run.nodes[0].input.question?.message;
}

describe('a tool that asks in the middle of its call', () => {
  it('is answered by approve, through kills of the worker, and does what it does once', async () => {
    const runId = await stack.graphql.execute('ask-new', {});
    await stack.graphql.until(runId, ['WAITING']);
    await stack.processes.worker.kill();
    await stack.start('worker');
    expect(await questionOf(runId)).toBe('Where to, shop?');
    expect(await answer(runId, 'APPROVED', { environment: 'moon' })).toBe('INPUT_INVALID');
    expect(await answer(runId, 'APPROVED', { environment: 'staging' })).toBeUndefined();
    for (;;) {
      await stack.graphql.until(runId, ['WAITING']);
      if ((await questionOf(runId)) === 'Really to staging?') break;
    }
    await stack.processes.worker.kill();
    expect(existsSync(join(folder, 'deployed'))).toBe(false);
    await stack.start('worker');
    expect(await answer(runId, 'APPROVED', { sure: true })).toBeUndefined();
    const { status, output } = await stack.graphql.until(runId, ['COMPLETED', 'FAILED']);
    expect({ status, output }).toEqual({ status: 'COMPLETED', output: { said: 'shop is in staging' } });
    expect(readFileSync(join(folder, 'deployed'), 'utf8')).toBe('shop is in staging\n');
    const { data } = await stack.graphql.send<any>(INPUT, { id: runId });
    expect(data.run.effects.map(({ state }: { state: string }) => state)).toEqual(['FAILED', 'FAILED', 'RECEIPT']);
    expect(new Set(data.run.effects.map(({ key }: { key: string }) => key)).size).toBe(1);
    expect(await answer(runId, 'APPROVED', { sure: true })).toBe('RUN_CLOSED');
  }, 120_000);

  it('is told when nobody wants to answer, also in the era before', async () => {
    const runId = await stack.graphql.execute('ask-old', {});
    await stack.graphql.until(runId, ['WAITING']);
    expect(await questionOf(runId)).toContain('Please provide inputs');
    expect(await answer(runId, 'APPROVED', { check: 'yes' })).toBe('INPUT_INVALID');
    expect(await answer(runId, 'REJECTED')).toBeUndefined();
    const { output } = await stack.graphql.until(runId, ['COMPLETED', 'FAILED']);
    expect(output?.['said']).toContain('declined');
    const again = await stack.graphql.execute('ask-old', {});
    await stack.graphql.until(again, ['WAITING']);
    expect(await answer(again, 'APPROVED', { name: 'Ada', check: true })).toBeUndefined();
    expect((await stack.graphql.until(again, ['COMPLETED', 'FAILED'])).output?.['said']).toContain('Ada');
  }, 120_000);

  it('is forgotten when its run is cancelled', async () => {
    const runId = await stack.graphql.execute('ask-new', {});
    await stack.graphql.until(runId, ['WAITING']);
    await stack.graphql.send('mutation ($runId: ID!) { cancelRun(runId: $runId) { id } }', { runId });
    expect((await stack.graphql.until(runId, ['CANCELLED', 'COMPLETED'])).status).toBe('CANCELLED');
    expect(await answer(runId, 'APPROVED', { environment: 'staging' })).toBe('RUN_CLOSED');
  }, 60_000);
});
