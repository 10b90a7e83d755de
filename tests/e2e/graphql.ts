import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';

export type GraphQlError = { message: string; extensions?: JsonObject };
export type GraphQlAnswer<Data> = { data: Data; errors?: GraphQlError[] };

export type RunView = {
  id: string;
  status: string;
  output: JsonObject | null;
  error: { code: string; message: string; nodeId: string | null } | null;
  nodes: { id: string; status: string; attempts: number; iteration: number; path: string; output: Json }[];
};

export type GraphQl = {
  send<Data>(query: string, variables?: object): Promise<GraphQlAnswer<Data>>;
  publish(definition: WorkflowDefinition): Promise<string>;
  execute(workflowId: string, input: object, idempotencyKey?: string): Promise<string>;
  run(id: string): Promise<RunView>;
  /** Asks until the run has one of the statuses; fails with the last view after `timeoutMs`. */
  until(id: string, statuses: readonly string[], timeoutMs?: number): Promise<RunView>;
};

const RUN = 'id status output error { code message nodeId } nodes { id status attempts iteration path output }';

/** Shows `token` where one is given. */
export function graphqlClient(url: () => string, token?: string): GraphQl {
  const send = async <Data>(query: string, variables: object = {}): Promise<GraphQlAnswer<Data>> => {
    const response = await fetch(url(), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQlAnswer<Data>;
  };
  const sure = async <Data>(query: string, variables: object): Promise<Data> => {
    const { data, errors } = await send<Data>(query, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  const run = async (id: string) => {
    const { run: found } = await sure<{ run: RunView | null }>(`query($id: ID!) { run(id: $id) { ${RUN} } }`, { id });
    if (!found) throw new Error(`no run ${id}`);
    return found;
  };
  return {
    send,
    run,
    async publish(definition) {
      const mutation = 'mutation($definition: JSON!) { publishWorkflow(definition: $definition) { id } }';
      return (await sure<{ publishWorkflow: { id: string } }>(mutation, { definition })).publishWorkflow.id;
    },
    async execute(workflowId, input, idempotencyKey) {
      const mutation = `mutation($workflowId: ID!, $input: JSON, $idempotencyKey: String) {
        executeWorkflow(workflowId: $workflowId, input: $input, idempotencyKey: $idempotencyKey) { id }
      }`;
      const variables = { workflowId, input, idempotencyKey };
      return (await sure<{ executeWorkflow: { id: string } }>(mutation, variables)).executeWorkflow.id;
    },
    async until(id, statuses, timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const view = await run(id).catch((error: unknown) => ({ status: String(error) }) as RunView);
        if (statuses.includes(view.status)) return view;
        if (Date.now() > deadline) throw new Error(`run ${id} after ${timeoutMs} ms: ${JSON.stringify(view)}`);
        await sleep(100);
      }
    },
  };
}
