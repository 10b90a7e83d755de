import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { findFreePort } from '../../adapters/embedded/free-port.ts';
import { type Stack, startStack } from './stack.ts';

const STEPS = 30;
const nodes = Array.from({ length: STEPS }, (_, index) => ({
  id: `pause${index}`,
  type: 'delay',
  config: { durationMs: 200 },
}));
const edges = nodes.slice(1).map(({ id }, index) => ({ from: `pause${index}`, to: id }));

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { PORT: String(await findFreePort(0, new Set())) } });
}, 120_000);
afterAll(async () => await stack?.stop());

describe('runEvents', () => {
  it('loses no event and gives none twice when API and gateway are killed in the middle', async () => {
    const workflow = await stack.graphql.publish({ name: 'pauses', nodes, edges });
    const runId = await stack.graphql.execute(workflow, {});
    const ids: number[] = [];
    let killedApi = false;
    let killedGateway = false;
    for (let ended = false; !ended;) {
      const url = `ws://127.0.0.1:${stack.processes.gateway.port}/graphql`;
      const client = createClient({
        ...{ url, webSocketImpl: WebSocket, retryAttempts: 0 },
        connectionParams: { authorization: `Bearer ${stack.env['WEFT_TOKEN']}` },
      });
      try {
        const query = 'subscription ($runId: ID!, $after: Int) { runEvents(runId: $runId, after: $after) { id type } }';
        for await (const { data } of client.iterate({ query, variables: { runId, after: ids.at(-1) ?? 0 } })) {
          ids.push((data as { runEvents: { id: number } }).runEvents.id);
          if (ids.length >= 20 && !killedApi) {
            killedApi = true;
            await stack.processes.api.kill();
            await stack.start('api');
          }
          if (ids.length >= 60 && !killedGateway) {
            killedGateway = true;
            await stack.processes.gateway.kill();
            await stack.start('gateway');
          }
        }
        ended = true;
      } catch (error) {
        if (!killedGateway || error instanceof TypeError) throw error;
      } finally {
        await client.dispose();
      }
    }
    expect([killedApi, killedGateway]).toEqual([true, true]);
    const { data } = await stack.graphql.send<{ run: { status: string; events: { id: number }[] } }>(
      'query ($runId: ID!) { run(id: $runId) { status events(first: 1000) { id } } }',
      { runId },
    );
    expect(data.run.status).toBe('COMPLETED');
    expect(ids).toEqual(data.run.events.map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
  }, 120_000);
});
