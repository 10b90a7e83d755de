/** `node download-server.ts <folder>`: makes the SDK download its dev server into the folder, by starting it once. */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const downloadDir = process.argv[2];
if (downloadDir === undefined) throw new Error('usage: download-server.ts <folder>');
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, ttl: '3650 days' } },
});
await environment.teardown();
