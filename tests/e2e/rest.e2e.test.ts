import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await stack.graphql.publish({
    name: 'ask',
    nodes: [{ id: 'ask', type: 'approval', config: { title: 'Go on?' } }],
    edges: [],
  });
  await stack.graphql.publish({
    name: 'quick',
    nodes: [{ id: 'one', type: 'transform', config: { value: '1 + 1' } }],
    edges: [],
    output: { two: 'nodes.one.output' },
  });
}, 120_000);
afterAll(() => stack?.stop());

describe('REST', () => {
  it('waits for a run and answers with its result', async () => {
    const answer = await call('POST', '/workflows/quick/execute?wait=20s', {});
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED', output: { two: 2 } },
    });
  });

  it('carries the correlation id of a request to Temporal', async () => {
    const answer = await call('POST', '/workflows/quick/execute?wait=20s', {}, { 'x-correlation-id': 'ticket 42' });
    expect(answer.headers.get('x-correlation-id')).toBe('ticket 42');
    const { id } = (await answer.json()) as { id: string };
    const { memo } = await stack.temporal.client.workflow.getHandle(id).describe();
    expect(memo).toMatchObject({ correlationId: 'ticket 42' });
  });

  it('streams the events of a run while it goes on, and goes on after the last one that a client has', async () => {
    const { id } = (await (await call('POST', '/workflows/ask/execute', {})).json()) as { id: string };
    const first = await events(id, {}, (seen) => seen.some(({ event }) => event === 'run.started'));
    const last = first.at(-1)?.id as string;
    const rest = events(id, { 'last-event-id': last }, (seen) => seen.some(({ event }) => event === 'end'));
    const answer = await call('POST', `/runs/${id}/approve`, { nodeId: 'ask', decision: 'APPROVED' });
    expect(answer.status).toBe(200);
    const ids = [...first, ...(await rest)].flatMap(({ id: one }) => (one === null ? [] : [Number(one)]));
    expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right));
    const stored = (await (await call('GET', `/runs/${id}/events?first=1000`)).json()) as { items: { id: number }[] };
    expect(ids).toEqual(stored.items.map((event) => event.id));
  });

  type Event = { id: string | null; event: string | null };

  async function events(id: string, headers: Record<string, string>, enough: (seen: Event[]) => boolean) {
    const leave = new AbortController();
    const response = await call(
      'GET',
      `/runs/${id}/events`,
      undefined,
      { ...headers, accept: 'text/event-stream' },
      leave.signal,
    );
    const seen: Event[] = [];
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
        if (field('event') !== null) seen.push({ id: field('id'), event: field('event') });
      }
      if (enough(seen)) break;
    }
    leave.abort();
    return seen;
  }

  const call = (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ) =>
    fetch(`http://127.0.0.1:${stack.processes.api.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${stack.env['WEFT_TOKEN']}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
});
