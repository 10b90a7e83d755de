import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { connectTemporal } from '../../temporal/client.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { graphqlClient, type GraphQl } from '../../tests/e2e/graphql.ts';
import { type Process, startProcess } from '../../tests/e2e/process.ts';
import { buildWorkflowBundle } from '../../workers/bundle.ts';
import { startBenchServers } from '../servers.ts';

export type RestSite = {
  env: NodeJS.ProcessEnv;
  api: Process;
  gateway: Process;
  graphql: GraphQl;
  /** Of a user who has signed in. */
  token: string;
  /** A run that has completed, of three nodes. */
  runId: string;
  /** Lets the worker and the projector go, which do nothing any more but cost. */
  settle(): Promise<void>;
  stop(): Promise<void>;
};

const WORKFLOW = {
  name: 'bench-quick',
  nodes: [
    { id: 'one', type: 'transform', config: { value: 'input.n + 1' } },
    { id: 'two', type: 'transform', config: { value: 'nodes.one.output * 2' } },
    { id: 'wait', type: 'delay', config: { durationMs: 10 } },
  ],
  edges: [
    { from: 'one', to: 'two' },
    { from: 'two', to: 'wait' },
  ],
  output: { n: 'nodes.two.output' },
};

/** Every process as it is served, everybody signed in; only the rate limits let a bench through. */
export async function openRestSite(): Promise<RestSite> {
  const servers = await startBenchServers({ temporal: true });
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = servers.settings;
  const connection = await connectTemporal(servers.settings);
  await ensureSearchAttributes(connection, TEMPORAL_NAMESPACE);
  await connection.close();
  const operator = randomBytes(24).toString('hex');
  const env: NodeJS.ProcessEnv = {
    ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production', WEFT_LOG_LEVEL: 'warn' },
    ...{ DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, PORT: '0', GATEWAY_PORT: '0', METRICS_PORT: '0' },
    ...{ WEFT_SECRET_KEY: randomBytes(32).toString('hex'), WEFT_OPERATOR_TOKEN: operator, WEFT_AUTH: 'required' },
    ...{ RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_BURST: '1000000', WEFT_ACCESS_TOKEN_SECONDS: '3600' },
  };
  const bundle = join(servers.folder, 'workflows.js');
  await buildWorkflowBundle({ outFile: bundle }, new DefaultLogger('ERROR'));
  const [worker, projector, api] = await Promise.all([
    startProcess('workers/main.ts', ['--bundle', bundle, '--queues', 'runs'], env),
    startProcess('workers/projector-main.ts', [], env),
    startProcess('api/main.ts', [], env),
  ]);
  const apiGraph = `http://127.0.0.1:${api.port}/graphql`;
  const gateway = await startProcess('gateway/main.ts', [], { ...env, WORKFLOW_API_URL: apiGraph });
  const graphql = graphqlClient(() => `http://127.0.0.1:${gateway.port}/graphql`, operator);
  const runId = await graphql.execute(await graphql.publish(WORKFLOW), { n: 1 });
  await graphql.until(runId, ['COMPLETED']);
  const settle = async () => void (await Promise.all([worker.stop(), projector.stop()]));
  return {
    ...{ env, api, gateway, graphql, runId, settle, token: await signIn(`http://127.0.0.1:${api.port}`, operator) },
    stop: async () => {
      await Promise.all([worker, projector, api, gateway].map((one) => one.stop()));
      await servers.stop();
    },
  };
}

async function signIn(url: string, operator: string): Promise<string> {
  const post = async (path: string, body: object, token?: string) => {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as { accessToken: string; oneTimePassword: string };
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const { oneTimePassword } = await post('/users', { name: 'bench', roles: ['developer'] }, operator);
  const first = await post('/login', { username: 'bench', password: oneTimePassword });
  const password = randomBytes(12).toString('hex');
  await post('/me/password', { current: oneTimePassword, next: password }, first.accessToken);
  return (await post('/login', { username: 'bench', password })).accessToken;
}
