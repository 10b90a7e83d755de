import type { Connection } from '@temporalio/client';

/** Resolves when the server answers. */
export async function checkTemporal(connection: Connection): Promise<void> {
  await connection.withDeadline(Date.now() + 2000, () => connection.workflowService.getSystemInfo({}));
}
