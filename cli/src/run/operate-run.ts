import { printJson } from '../flow/print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from '../flow/run-view.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import type { AnswerOptions, OperateOptions, Shared } from '../operate-commands.ts';

type Argument = [type: string, value: unknown];

export const pauseRun = (id: string, { reason, by, ...shared }: OperateOptions): Promise<number> =>
  operate('pauseRun', shared, { runId: ['ID!', id], reason: ['String', reason], by: ['String', by] });

export const resumeRun = (id: string, { by, ...shared }: OperateOptions): Promise<number> =>
  operate('resumeRun', shared, { runId: ['ID!', id], by: ['String', by] });

export const retryNode = (id: string, node: string, { path, by, ...shared }: OperateOptions): Promise<number> =>
  operate('retryNode', shared, { ...execution(id, node, path), by: ['String', by] });

export async function skipNode(id: string, node: string, options: OperateOptions): Promise<number> {
  const { path, by, output, ...shared } = options;
  const value = await jsonOption('output', output);
  return operate('skipNode', shared, {
    ...execution(id, node, path),
    output: ['JSON', value],
    by: ['String', by],
  });
}

export async function setVariable(id: string, name: string, json: string, options: OperateOptions): Promise<number> {
  const value = await jsonOption(name, json);
  const { by, ...shared } = options;
  return operate('setVariable', shared, {
    runId: ['ID!', id],
    name: ['String!', name],
    value: ['JSON', value],
    by: ['String', by],
  });
}

export async function answerNode(
  id: string,
  node: string,
  decision: 'APPROVED' | 'REJECTED',
  { path, by, comment, data, ...shared }: AnswerOptions,
): Promise<number> {
  const value = await jsonOption('data', data);
  return operate('approve', shared, {
    ...execution(id, node, path),
    decision: ['ApprovalDecision!', decision],
    comment: ['String', comment],
    data: ['JSON', value],
    decidedBy: ['String', by],
  });
}

const execution = (id: string, node: string, path: string | undefined): Record<string, Argument> => ({
  runId: ['ID!', id],
  nodeId: ['ID!', node],
  path: ['String', path],
});

async function operate(mutation: string, { url, json }: Shared, given: Record<string, Argument>): Promise<number> {
  const names = Object.keys(given);
  const query = `mutation (${names.map((name) => `$${name}: ${given[name]?.[0]}`).join(', ')}) {
    ${mutation}(${names.map((name) => `${name}: $${name}`).join(', ')}) { ${RUN_VIEW} }
  }`;
  const values = Object.fromEntries(names.map((name) => [name, given[name]?.[1]]));
  const run = (await createGatewayClient(url)<Record<string, RunView>>(query, values))[mutation] as RunView;
  if (json) printJson(run);
  else process.stdout.write(`${run.id}  ${statusOf(run)}\n`);
  return 0;
}
