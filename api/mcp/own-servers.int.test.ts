import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chooseOwnPassword, signInRequired, signUp, sure } from '../../tests/access.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';

type Answer = Record<string, any>;
type Call = (name: string, given: object, key?: string) => Promise<Answer>;
let doors: Doors;
const tokens: Record<string, string> = {};
const clients: Client[] = [];

beforeAll(async () => {
  doors = await openDoors(signInRequired());
  tokens['ours'] = (await signUp(doors, 'ada', ['developer'])).token;
  tokens['viewer'] = (await signUp(doors, 'vic', ['viewer'])).token;
  const { admin } = (await sure(doors, 'mutation { createTenant(id: "rival") { admin { oneTimePassword } } }', {})).data
    .createTenant;
  tokens['rival'] = (await chooseOwnPassword(doors, 'admin', admin.oneTimePassword, 'rival')).token;
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await doors?.close();
});

async function connect(server: string, who: string): Promise<{ client: Client; call: Call }> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${tokens[who]}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${doors.apiUrl}/mcp/${server}`), { requestInit }));
  clients.push(client);
  const call: Call = async (name, given, key) => {
    const meta = key === undefined ? {} : { _meta: { 'weft.dev/idempotencyKey': key } };
    const result = await client.callTool({ name, arguments: given as Record<string, unknown>, ...meta });
    return { isError: result.isError, ...(result.structuredContent as Answer) };
  };
  return { client, call };
}

describe('customer-support', () => {
  it('has the ten tools, with what each takes', async () => {
    const { client } = await connect('customer-support', 'ours');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual([
      'analyze_ticket',
      'close_ticket',
      'determine_ticket_intent',
      'escalate_ticket',
      'filter_spam',
      'generate_customer_response',
      'process_invoice',
      'send_reply',
      'ticket_router',
      'validate_ticket',
    ]);
    for (const { inputSchema } of tools)
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    const { client: viewer } = await connect('customer-support', 'viewer');
    await expect(viewer.listTools()).rejects.toThrow('tools:call');
  });

  it('reads messages by rules', async () => {
    const { call } = await connect('customer-support', 'ours');
    const ticket = { ticket_id: 'T-0', customer_id: 'c', priority: 'low' };
    const angry = 'I was charged twice on my invoice. This is unacceptable, I want a refund immediately!';
    expect(await call('determine_ticket_intent', { customer_event: { ...ticket, message: angry } })).toMatchObject({
      intent: 'refund',
      department: 'billing',
    });
    expect(await call('analyze_ticket', { ...ticket, message: angry })).toMatchObject({
      priority: 'high',
      sentiment: { sentiment: 'negative', confidence: 0.7 },
      spam: { isSpam: false },
    });
    const bait = 'WINNER! You have won the lottery, click here for free money';
    expect(await call('filter_spam', { message: bait, sender_reputation: 0.1 })).toMatchObject({ isSpam: true });
    const response = await call('generate_customer_response', {
      customer_event: { ...ticket, message: angry },
      intent: 'refund',
    });
    expect(response['response']).toContain('Your reference is T-0.');
  });

  it('takes a ticket from its opening to its end, each step once for its key', async () => {
    const { call } = await connect('customer-support', 'ours');
    const ticket = {
      ticket_id: 'T-1',
      customer_id: 'c-1',
      message: 'The export crashes with an error',
      priority: 'high',
    };
    expect(await call('validate_ticket', { ...ticket, message: 'short' })).toMatchObject({ valid: false });
    expect(
      await call('escalate_ticket', { ticket_id: 'T-1', escalation_reason: 'x', target_team: 'core', urgency: 'low' }),
    ).toMatchObject({
      isError: true,
      code: 'NOT_FOUND',
    });
    expect(await call('validate_ticket', ticket)).toMatchObject({ valid: true, ticket: { state: 'open' } });
    const routed = { ticket_id: 'T-1', department: 'technical', agent_id: 'a-7' };
    expect(await call('ticket_router', routed)).toMatchObject({ department: 'technical', priority: 'high' });
    const escalation = { ticket_id: 'T-1', escalation_reason: 'lost data', target_team: 'core', urgency: 'critical' };
    const [first, again] = [
      await call('escalate_ticket', escalation, 'k1'),
      await call('escalate_ticket', escalation, 'k1'),
    ];
    expect(first).toMatchObject({ state: 'escalated', estimated_response: '30 minutes' });
    expect(first['escalation_id']).toMatch(/^ESC-/);
    expect(again).toEqual(first);
    expect(await call('escalate_ticket', { ...escalation, urgency: 'low' }, 'k1')).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const reply = { ticket_id: 'T-1', message: 'It is mended.', channel: 'email' };
    const replies = await Promise.all([1, 2, 3].map(() => call('send_reply', reply, 'k2')));
    expect(new Set(replies.map((one) => one['reply_id'])).size).toBe(1);
    expect(
      await call('close_ticket', { ticket_id: 'T-1', resolution: 'mended', customer_satisfaction: 5 }),
    ).toMatchObject({
      state: 'closed',
    });
    expect(await call('ticket_router', routed)).toMatchObject({ isError: true, code: 'INPUT_INVALID' });
  });

  it('keeps invoices, and takes no payment twice', async () => {
    const { call } = await connect('customer-support', 'ours');
    const invoice = (request_type: string, amount?: number, key?: string) =>
      call(
        'process_invoice',
        { invoice_id: 'I-1', customer_id: 'c-1', request_type, ...(amount === undefined ? {} : { amount }) },
        key,
      );
    expect(await invoice('inquiry')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await invoice('correction', 100.5)).toMatchObject({ amount: 100.5, open: 100.5 });
    await Promise.all([invoice('payment', 40, 'p1'), invoice('payment', 40, 'p1')]);
    expect(await invoice('inquiry')).toMatchObject({ paid: 40, open: 60.5 });
    expect(await invoice('payment', 60.51)).toMatchObject({ isError: true, code: 'INPUT_INVALID' });
    expect(await invoice('dispute')).toMatchObject({ disputed: true });
    expect(
      await call('process_invoice', { invoice_id: 'I-1', customer_id: 'c-2', request_type: 'inquiry' }),
    ).toMatchObject({
      code: 'NOT_FOUND',
    });
    const { call: theirs } = await connect('customer-support', 'rival');
    expect(
      await theirs('process_invoice', { invoice_id: 'I-1', customer_id: 'c-1', request_type: 'inquiry' }),
    ).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('knowledge-base', () => {
  it('finds what was put in, the best first, and shows what fits', async () => {
    const { client, call } = await connect('knowledge-base', 'ours');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['search', 'fetch', 'upsert']);
    const workflows = {
      id: 'wf',
      title: 'Durable workflows',
      body: 'A workflow survives crashes of its worker.',
      tags: ['docs'],
    };
    expect(await call('upsert', workflows)).toMatchObject({ revision: 1, changed: true });
    expect(await call('upsert', workflows)).toMatchObject({ revision: 1, changed: false });
    await call('upsert', { id: 'cake', title: 'Cake', body: 'Sugar, flour and a long workflow of stirring.' });
    const { results } = await call('search', { query: 'workflows' });
    expect(results.map(({ id }: Answer) => id)).toEqual(['wf', 'cake']);
    expect(results[0].excerpt).toContain('**workflow**');
    expect((await call('search', { query: 'workflow -sugar' }))['results']).toHaveLength(1);
    expect((await call('search', { query: 'workflow', tags: ['docs'] }))['results']).toHaveLength(1);
    expect(await call('fetch', { id: 'wf' })).toMatchObject({ body: workflows.body, tags: ['docs'] });
    expect(await call('upsert', { ...workflows, body: 'Another.' })).toMatchObject({ revision: 2, changed: true });
    expect(await call('fetch', { id: 'none' })).toMatchObject({ isError: true, code: 'NOT_FOUND' });
  });

  it('shows a tenant nothing of another', async () => {
    const { call } = await connect('knowledge-base', 'rival');
    expect((await call('search', { query: 'workflow' }))['results']).toEqual([]);
    expect(await call('fetch', { id: 'wf' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await call('upsert', { id: 'wf', title: 'Theirs', body: 'x' })).toMatchObject({ revision: 1 });
    expect(await (await connect('knowledge-base', 'ours')).call('fetch', { id: 'wf' })).toMatchObject({
      title: 'Durable workflows',
    });
  });
});
