import { createGatewayClient } from '../gateway-client.ts';
import { printJson } from './print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from './run-view.ts';

export async function closeRun(
  mutation: 'cancelRun' | 'terminateRun',
  id: string,
  { url, reason, json }: { url: string; reason?: string; json?: boolean },
): Promise<number> {
  const answer = await createGatewayClient(url)<Record<string, RunView>>(
    `mutation ($id: ID!, $reason: String) { ${mutation}(runId: $id, reason: $reason) { ${RUN_VIEW} } }`,
    { id, reason },
  );
  const run = answer[mutation] as RunView;
  if (json) printJson(run);
  else process.stdout.write(`${run.id}  ${statusOf(run)}\n`);
  return 0;
}
