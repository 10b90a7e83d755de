import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { testTemporal, uniqueName } from './servers.ts';

/** A Temporal namespace of its own, so that suites can all use the queue names of the product. */
export async function createTestNamespace(): Promise<string> {
  const namespace = uniqueName('ns');
  const connection = await Connection.connect({ address: testTemporal().address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    await eventually(() => connection.workflowService.describeNamespace({ namespace }));
    await eventually(() => ensureSearchAttributes(connection, namespace));
    await eventually(() =>
      connection.workflowService.countWorkflowExecutions({ namespace, query: 'WeftTenant = "x"' }),
    );
  } finally {
    await connection.close();
  }
  return namespace;
}

async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= 60) throw error;
      await sleep(250);
    }
  }
}
