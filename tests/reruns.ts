import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TaskQueue } from '../domain/runs/queues.ts';
import { openDoors } from './doors.ts';
import { startRunServices } from './run-services.ts';

/** A shop whose answers tell which call of all they are to, so that a result that is taken over shows. */
async function openShop() {
  const calls: string[] = [];
  let number = 0;
  const failing = new Set<string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const name = (request.url ?? '').slice(1);
      calls.push(body === '' ? name : `${name} ${body}`);
      response.statusCode = failing.has(name) ? 400 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ call: (number += 1), name }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, calls, failing, close: () => server.close() };
}

export type Reruns = Awaited<ReturnType<typeof openReruns>>;

/** The doors and what runs behind them, beside a shop that counts its calls, and the words for asking. */
export async function openReruns(queues: TaskQueue[] = ['runs'], environment: Record<string, string> = {}) {
  const shop = await openShop();
  const doors = await openDoors({ WEFT_HTTP_ALLOWED_HOSTS: '127.0.0.1', ...environment });
  const services = await startRunServices(doors, queues);
  const query = async (text: string, variables?: Record<string, unknown>) => {
    const { data, errors } = await doors.ask(text, variables);
    if (errors) throw Object.assign(new Error(errors[0].message), { extensions: errors[0].extensions });
    return data;
  };
  return {
    shop,
    doors,
    query,
    ...definitionWords(query, shop.url),
    ...runWords(query),
    reset() {
      shop.calls.length = 0;
      shop.failing.clear();
    },
    async close() {
      await services.stop();
      await doors.close();
      shop.close();
    },
  };
}

type Query = (text: string, variables?: Record<string, unknown>) => Promise<any>;

function definitionWords(query: Query, url: string) {
  const call = (id: string, body: string | null = null, more: object = {}) => ({
    id,
    type: 'http',
    config: { url: `${url}/${id}`, ...(body === null ? {} : { method: 'POST', body }) },
    ...more,
  });
  const publish = (definition: object) =>
    query('mutation ($d: JSON!) { publishWorkflow(definition: $d) { version } }', { d: definition });
  const chain = (name: string, nodes: { id: string }[], rest: object = {}) => ({
    name,
    nodes,
    edges: nodes.slice(1).map((node, index) => ({ from: nodes[index]?.id, to: node.id })),
    ...rest,
  });
  const start = async (workflowId: string, input: unknown = { n: 1 }): Promise<string> =>
    (
      await query('mutation ($w: ID!, $i: JSON) { executeWorkflow(workflowId: $w, input: $i) { id } }', {
        w: workflowId,
        i: input,
      })
    ).executeWorkflow.id;
  return { call, publish, chain, start };
}

function runWords(query: Query) {
  const RUN = `id status output error { code nodeId } workflow { version } rerunOf { runId kind eventId nodeIds run { id } }
    nodes { id path status output port reusedFrom attempts } events(first: 1000) { type nodeId }`;
  const read = async (id: string) => (await query(`query ($id: ID!) { run(id: $id) { ${RUN} } }`, { id })).run;
  const until = async (id: string, fits: (run: any) => boolean) => {
    for (let tries = 0; ; tries += 1) {
      const run = await read(id);
      if (run && fits(run)) return run;
      if (tries > 400) throw new Error(JSON.stringify(run));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const closed = (id: string) =>
    until(id, ({ status }) => ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED'].includes(status));
  const PLAN = `version executions { nodeId path action durationMs reusedFrom } saved { executions durationMs } spent { executions }
    repeats { nodeId state }`;
  const plan = async (runId: string, nodeIds: string[] | null = null, more: object = {}) =>
    (
      await query(
        `query ($r: ID!, $n: [String!], $v: Int, $p: JSON) { planRerun(runId: $r, nodeIds: $n, version: $v, patches: $p) { ${PLAN} } }`,
        { r: runId, n: nodeIds, ...more },
      )
    ).planRerun;
  const rerun = async (runId: string, nodeIds: string[] | null = null, more: object = {}): Promise<string> =>
    (
      await query(
        `mutation ($r: ID!, $n: [String!], $v: Int, $p: JSON, $k: String) {
           rerunFrom(runId: $r, nodeIds: $n, version: $v, patches: $p, idempotencyKey: $k) { id } }`,
        { r: runId, n: nodeIds, ...more },
      )
    ).rerunFrom.id;
  const actions = (planned: any) => planned.executions.map(({ nodeId, action }: any) => `${nodeId} ${action}`);

  const fork = async (runId: string, eventId: number, more: object = {}): Promise<string> =>
    (
      await query(
        `mutation ($r: ID!, $e: Int!, $v: Int, $m: JSON, $p: JSON) {
           forkAt(runId: $r, eventId: $e, version: $v, mapping: $m, patches: $p) { id } }`,
        { r: runId, e: eventId, ...more },
      )
    ).forkAt.id;
  return { read, until, closed, plan, rerun, fork, actions };
}
