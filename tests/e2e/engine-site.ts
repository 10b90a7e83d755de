import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { RunView } from './graphql.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

/** A stack and an outside world, and what tests of the engine do with them. */
export type EngineSite = {
  ledger: Ledger;
  stack: Stack;
  start(definition: WorkflowDefinition, input?: object): Promise<string>;
  finish(definition: WorkflowDefinition, input?: object, timeoutMs?: number): Promise<RunView>;
  /** A mutation that answers with a run. */
  mutate(mutation: string, variables: object): Promise<void>;
  /** One POST to the ledger. */
  post(id: string, path: string, more?: Partial<NodeDefinition>): NodeDefinition;
  stop(): Promise<void>;
};

export async function startEngineSite(): Promise<EngineSite> {
  const ledger = await startLedger();
  const stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host } });
  const start = async (definition: WorkflowDefinition, input: object = {}) =>
    stack.graphql.execute(await stack.graphql.publish(definition), input);
  return {
    ledger,
    stack,
    start,
    finish: async (definition, input = {}, timeoutMs = 60_000) =>
      stack.graphql.until(await start(definition, input), ['COMPLETED', 'FAILED', 'CANCELLED'], timeoutMs),
    async mutate(mutation, variables) {
      const types = Object.keys(variables).map((name) => `$${name}: ${TYPES[name] ?? 'String'}`);
      const names = Object.keys(variables).map((name) => `${name}: $${name}`);
      const { errors } = await stack.graphql.send(
        `mutation(${types.join(', ')}) { ${mutation}(${names.join(', ')}) { id status } }`,
        variables,
      );
      if (errors) throw new Error(JSON.stringify(errors));
    },
    post: (id, path, more = {}) => ({
      id,
      type: 'http',
      config: { url: ledger.url(path), method: 'POST' },
      retry: { maximumAttempts: 1 },
      ...more,
    }),
    async stop() {
      await stack.stop();
      await ledger.close();
    },
  };
}

const TYPES: { readonly [name: string]: string } = {
  runId: 'ID!',
  nodeId: 'ID!',
  name: 'String!',
  decision: 'ApprovalDecision!',
  data: 'JSON',
  value: 'JSON',
  output: 'JSON',
};

export const transform = (id: string, value: string, parent?: string): NodeDefinition => ({
  id,
  type: 'transform',
  config: { value },
  ...(parent === undefined ? {} : { parent }),
});

export const chain = (...ids: string[]): EdgeDefinition[] =>
  ids.slice(1).map((to, index) => ({ from: ids[index] as string, to }));
