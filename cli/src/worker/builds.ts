import { connectTemporal } from '../../../temporal/client.ts';
import { listBuilds, setCurrentBuild } from '../../../temporal/worker-deployment.ts';
import { findServers } from './find-servers.ts';

/** `weft worker builds`: the builds that have polled, and which of them new runs go to. */
export function showBuilds({ json }: { json?: boolean }): Promise<number> {
  return withTemporal(async (caller) => {
    const builds = await listBuilds(caller);
    const lines = builds.map(
      ({ buildId, status, createdAt }) => `${buildId.padEnd(24)} ${status.padEnd(9)} ${createdAt?.toISOString() ?? ''}`,
    );
    const text = lines.length > 0 ? lines.join('\n') : 'No worker has a build: set WEFT_WORKER_BUILD_ID.';
    process.stdout.write(json ? `${JSON.stringify(builds)}\n` : `${text}\n`);
    return 0;
  });
}

/** `weft worker set-current <build>`: new runs, and runs that continue as new, go there from now on. */
export function makeCurrent(buildId: string): Promise<number> {
  return withTemporal(async (caller) => {
    await setCurrentBuild(caller, buildId);
    process.stdout.write(`New runs go to build ${buildId}.\n`);
    return 0;
  });
}

async function withTemporal(call: (caller: Parameters<typeof listBuilds>[0]) => Promise<number>): Promise<number> {
  const settings = await findServers();
  const connection = await connectTemporal(settings);
  const { workflowService } = connection;
  try {
    return await call({ workflowService, options: { namespace: settings.TEMPORAL_NAMESPACE, identity: 'weft' } });
  } finally {
    await connection.close();
  }
}
