import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
const hook = (path: string) => `http://127.0.0.1:${stack.processes.api.port}${path}`;

beforeAll(async () => {
  stack = await startStack({ env: { WEFT_SECRET_KEY: 'k'.repeat(40), WEFT_WEBHOOK_MAX_BYTES: '2048' } });
  await stack.graphql.publish(ECHO);
  await stack.graphql.publish(ASKING);
}, 120_000);
afterAll(() => stack?.stop());

const ECHO: WorkflowDefinition = {
  name: 'echo',
  input: { type: 'object', required: ['order'], properties: { order: { type: 'number' } } },
  nodes: [{ id: 'keep', type: 'transform', config: { value: 'input' } }],
  edges: [],
  output: 'nodes.keep.output',
};

async function sure<Data>(query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await stack.graphql.send<Data>(query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

type Made = { secret: string; webhook: { id: string; url: string } };

async function create(input: object): Promise<Made> {
  const mutation = `mutation($id: ID, $mapping: JSON, $secret: String) {
    createWebhook(workflowId: "echo", id: $id, mapping: $mapping, secret: $secret) { secret webhook { id url } } }`;
  return (await sure<{ createWebhook: Made }>(mutation, input)).createWebhook;
}

type Sent = { secret: string; id: string; body: string; at?: Date; signature?: string; path?: string };

async function send(webhook: string, { secret, id, body, at = new Date(), signature, path = '' }: Sent) {
  const response = await fetch(hook(`/hooks/${webhook}${path}`), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signature ?? new Webhook(secret).sign(id, at, body),
      'x-kind': 'paid',
    },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as JsonObject,
  };
}

describe('a webhook', () => {
  it('starts a run for a message signed as Standard Webhooks says, and one run for the same message', async () => {
    const mapping = {
      order: 'body.order',
      kind: 'headers["x-kind"]',
      from: 'query.from',
      message: 'webhook.messageId',
    };
    const { secret, webhook } = await create({ id: 'orders', mapping });
    expect(webhook.url).toMatch(/\/hooks\/orders$/);
    const message = { secret, id: 'msg_1', body: '{"order": 7}', path: '?from=shop' };
    const first = await send('orders', message);
    expect(first).toMatchObject({ status: 202, body: { duplicate: false } });
    const again = await send('orders', { ...message, at: new Date(Date.now() + 60_000) });
    expect(again).toMatchObject({ status: 202, body: { runId: first.body['runId'], duplicate: true } });
    const run = await stack.graphql.until(String(first.body['runId']), ['COMPLETED', 'FAILED']);
    expect(run.output).toEqual({ order: 7, kind: 'paid', from: 'shop', message: 'msg_1' });
    const { runs } = await sure<{ runs: { edges: { node: JsonObject }[] } }>(
      '{ runs(trigger: { kind: WEBHOOK, id: "orders" }) { edges { node { id trigger { kind id source } } } } }',
    );
    expect(runs.edges).toEqual([{ node: { id: run.id, trigger: { kind: 'WEBHOOK', id: 'orders', source: 'msg_1' } } }]);
  });

  it('starts one run when the same message comes many times at once', async () => {
    const { secret } = await create({ id: 'storm' });
    const message = { secret, id: 'msg_storm', body: '{"order": 1}' };
    const answers = await Promise.all(Array.from({ length: 12 }, () => send('storm', message)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body['runId'])).size).toBe(1);
    expect(answers.filter(({ body }) => body['duplicate'] === false)).toHaveLength(1);
  });

  it('refuses what is not signed, not now, not this, or too large, as problem JSON', async () => {
    const { secret } = await create({ id: 'strict' });
    const other = new Webhook(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
    const good = { secret, id: 'msg_s', body: '{"order": 1}' };
    const old = new Date(Date.now() - 400_000);
    const cases: [Sent, number, string][] = [
      [{ ...good, signature: other.sign(good.id, new Date(), good.body) }, 401, 'SIGNATURE_INVALID'],
      [{ ...good, signature: 'v1,' }, 401, 'SIGNATURE_INVALID'],
      [{ ...good, signature: new Webhook(secret).sign('another', new Date(), good.body) }, 401, 'SIGNATURE_INVALID'],
      [{ ...good, at: old }, 401, 'SIGNATURE_INVALID'],
      [{ ...good, at: new Date(Date.now() + 400_000) }, 401, 'SIGNATURE_INVALID'],
      [{ ...good, body: '{"order": ' }, 400, 'INPUT_INVALID'],
      [{ ...good, body: '{"order": "seven"}' }, 400, 'INPUT_INVALID'],
      [{ ...good, body: JSON.stringify({ order: 1, text: 'x'.repeat(3_000) }) }, 413, 'PAYLOAD_TOO_LARGE'],
    ];
    for (const [message, status, code] of cases) {
      const answer = await send('strict', message);
      expect({ ...answer, body: { code: answer.body['code'] } }).toMatchObject({ status, body: { code } });
      expect(answer.type).toContain('application/problem+json');
    }
    expect((await send('nowhere', good)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect((await fetch(hook('/hooks/strict'))).status).toBe(405);
    // The message that could not start a run is tried anew when it is sent again in order.
    expect((await send('strict', good)).status).toBe(202);
    expect((await send('strict', { ...good, body: '{"order": 2}' })).body).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('takes two secrets while one replaces the other, and none when it is disabled', async () => {
    const given = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { secret: first } = await create({ id: 'rotating', secret: given });
    expect(first).toBe(given);
    const rotate = (graceSeconds: number) =>
      sure<{ rotateWebhookSecret: Made }>(
        'mutation($s: Int) { rotateWebhookSecret(id: "rotating", graceSeconds: $s) { secret webhook { id url } } }',
        { s: graceSeconds },
      );
    const { secret: second } = (await rotate(60)).rotateWebhookSecret;
    const status = async (secret: string, id: string) =>
      (await send('rotating', { secret, id, body: '{"order":1}' })).status;
    expect([await status(first, 'a'), await status(second, 'b')]).toEqual([202, 202]);
    const { secret: third } = (await rotate(0)).rotateWebhookSecret;
    expect([await status(first, 'c'), await status(second, 'd'), await status(third, 'e')]).toEqual([401, 401, 202]);
    await sure('mutation { updateWebhook(id: "rotating", enabled: false) { enabled } }');
    expect(await status(third, 'f')).toBe(410);
  });

  it('keeps no secret in the database as it is', async () => {
    const { secret } = await create({ id: 'sealed' });
    const { rows } = await stack.pool.query('SELECT secrets::text AS text FROM webhooks');
    expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length, -4));
  });
});

const ASKING: WorkflowDefinition = {
  name: 'asking',
  nodes: [
    { id: 'hold', type: 'delay', config: { durationMs: 'has(input.ms) ? int(input.ms) : 0' } },
    { id: 'link', type: 'transform', config: { value: 'run.webhooks.answer' } },
    { id: 'answer', type: 'webhook', config: { schema: { type: 'object', required: ['rating'] } } },
  ],
  edges: [
    { from: 'hold', to: 'link' },
    { from: 'link', to: 'answer' },
  ],
  output: { link: 'nodes.link.output', answer: 'nodes.answer.output.data' },
};

/** The link that the run would put into a mail, at the port that the API has here. */
async function linkOf(runId: string, nodeId = 'link'): Promise<URL> {
  const query = 'query($id: ID!) { run(id: $id) { nodes { id output } } }';
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    const { run } = await sure<{ run: { nodes: { id: string; output: string | null }[] } | null }>(query, {
      id: runId,
    });
    const output = run?.nodes.find(({ id }) => id === nodeId)?.output;
    if (output) return new URL(new URL(output).pathname + new URL(output).search, hook('/'));
    if (Date.now() > deadline) throw new Error(JSON.stringify(run));
  }
}

async function post(url: URL, data: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(data),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

describe('the signed link of a webhook node', () => {
  it('delivers to the run, once, and then says that it was', async () => {
    const runId = await stack.graphql.execute('asking', {});
    const link = await linkOf(runId);
    await stack.graphql.until(runId, ['WAITING']);
    expect(await post(link, { nothing: true })).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
    const twice = await Promise.all([
      post(link, { rating: 5 }, { 'idempotency-key': 'k1' }),
      post(link, { rating: 5 }, { 'idempotency-key': 'k1' }),
    ]);
    expect(twice.map(({ status }) => status)).toEqual([200, 200]);
    const run = await stack.graphql.until(runId, ['COMPLETED', 'FAILED']);
    expect(run.output).toMatchObject({ answer: { rating: 5 } });
    expect(await post(link, { rating: 5 })).toMatchObject({ status: 200, body: { duplicate: true } });
    expect(await post(link, { rating: 1 })).toMatchObject({ status: 409, body: { code: 'RUN_CLOSED' } });
  });

  it('is there for nodes of child runs too, each with its own', async () => {
    await stack.graphql.publish({
      name: 'asks-by-others',
      nodes: [
        { id: 'one', type: 'subworkflow', config: { workflow: 'asking' } },
        { id: 'each', type: 'map', config: { items: 'input.items', chunkSize: 30, concurrency: 60 } },
        { id: 'url', type: 'transform', parent: 'each', config: { value: 'run.webhooks.reply' } },
        { id: 'first', type: 'branch', parent: 'each', config: { condition: 'index % 30 == 0' } },
        { id: 'reply', type: 'webhook', parent: 'each', config: {} },
      ],
      edges: [
        { from: 'url', to: 'first' },
        { from: 'first', to: 'reply', port: 'true' },
      ],
      output: 'nodes.one.output.answer.rating',
    });
    const runId = await stack.graphql.execute('asks-by-others', { items: Array.from({ length: 60 }, (_, i) => i) });
    const link = await linkOf(`${runId}:one:1`);
    const replies = [await linkOf(`${runId}:each:1:0`, 'url'), await linkOf(`${runId}:each:1:1`, 'url')];
    expect(new Set(replies.map(({ pathname }) => pathname)).size).toBe(2);
    await stack.graphql.until(`${runId}:one:1`, ['WAITING']);
    expect(await post(link, { rating: 3 })).toMatchObject({ status: 200, body: { duplicate: false } });
    for (const reply of replies) expect(await post(reply, {})).toMatchObject({ status: 200 });
    expect((await stack.graphql.until(runId, ['COMPLETED', 'FAILED'])).output).toBe(3);
  });

  it('tells what is wrong with it', async () => {
    const runId = await stack.graphql.execute('asking', {});
    const link = await linkOf(runId);
    const changed = (change: (url: URL) => void) => {
      const url = new URL(link);
      change(url);
      return url;
    };
    const later = changed((url) =>
      url.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 1)),
    );
    const node = changed((url) => (url.pathname = url.pathname.replace(/answer$/, 'hold')));
    const run = changed((url) => (url.pathname = url.pathname.replace(runId, `${runId}x`)));
    const unsigned = changed((url) => url.searchParams.delete('signature'));
    for (const url of [later, node, run, unsigned]) {
      expect(await post(url, { rating: 1 })).toMatchObject({ status: 403, body: { code: 'LINK_INVALID' } });
    }
  });

  it('does not deliver to a node that does not wait yet', async () => {
    const early = await stack.graphql.execute('asking', { ms: 60_000 });
    const done = await stack.graphql.execute('asking', {});
    const pattern = await linkOf(done);
    expect(pattern.pathname).toContain(done);
    await stack.graphql.until(early, ['WAITING']);
    const { rows } = await stack.pool.query<{ payload: { webhooks: { answer: string } } }>(
      `SELECT payload FROM events JOIN event_streams USING (stream_key) WHERE run_id = $1 AND type = 'run.started'`,
      [early],
    );
    const given = new URL(rows[0]!.payload.webhooks.answer);
    const answer = await post(new URL(given.pathname + given.search, hook('/')), { rating: 1 });
    expect(answer).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } });
  });

  it('shows a person a page to confirm, and changes nothing by being opened', async () => {
    const runId = await stack.graphql.execute('asking', {});
    const link = await linkOf(runId);
    await stack.graphql.until(runId, ['WAITING']);
    const page = await fetch(link);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<form method="post">');
    expect((await stack.graphql.run(runId)).status).toBe('WAITING');
    const form = await fetch(link, {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'rating=4',
    });
    expect([form.status, await form.text()]).toEqual([200, expect.stringContaining('Thank you')]);
    expect((await stack.graphql.until(runId, ['COMPLETED'])).output).toMatchObject({ answer: { rating: '4' } });
  });
});
