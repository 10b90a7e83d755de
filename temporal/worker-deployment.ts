import { type Client, isGrpcServiceError } from '@temporalio/client';
import { AppError } from '../domain/errors.ts';

/** Temporal's name for all builds of the workers on queue `runs`. */
export const DEPLOYMENT_NAME = 'weft';
const GRPC = { notFound: 5, failedPrecondition: 9 };

type Caller = { workflowService: Client['workflowService']; options: { namespace: string; identity: string } };
export type Build = { buildId: string; current: boolean; createdAt: Date | null; status: string };

const isStatus = (error: unknown, ...codes: number[]): boolean =>
  isGrpcServiceError(error) && codes.includes(Number(error.code));

/** Builds that have polled, the newest first. */
export async function listBuilds(client: Caller): Promise<Build[]> {
  try {
    const { workerDeploymentInfo: info } = await client.workflowService.describeWorkerDeployment({
      namespace: client.options.namespace,
      deploymentName: DEPLOYMENT_NAME,
    });
    const current = info?.routingConfig?.currentDeploymentVersion?.buildId;
    return (info?.versionSummaries ?? []).map(({ deploymentVersion, createTime, status }) => ({
      buildId: deploymentVersion?.buildId ?? '',
      current: deploymentVersion?.buildId === current,
      createdAt: createTime?.seconds ? new Date(Number(createTime.seconds) * 1000) : null,
      status: STATUSES[status ?? 0] ?? 'UNKNOWN',
    }));
  } catch (error) {
    if (isStatus(error, GRPC.notFound)) return [];
    throw error;
  }
}

const STATUSES = ['UNKNOWN', 'INACTIVE', 'CURRENT', 'RAMPING', 'DRAINING', 'DRAINED', 'CREATED'];

/** From now on new runs, and runs that continue as new, go to this build. @throws AppError NOT_FOUND */
export async function setCurrentBuild(client: Caller, buildId: string, { unseen = false } = {}): Promise<void> {
  try {
    await client.workflowService.setWorkerDeploymentCurrentVersion({
      namespace: client.options.namespace,
      identity: client.options.identity,
      deploymentName: DEPLOYMENT_NAME,
      buildId,
      allowNoPollers: unseen,
    });
  } catch (error) {
    if (!isStatus(error, GRPC.notFound, GRPC.failedPrecondition)) throw error;
    throw new AppError('NOT_FOUND', { what: 'Build', id: buildId }, error);
  }
}

/** Without a current build nothing would run: the first one that comes is it. Later ones are told to be. */
export async function becomeFirstBuild(client: Caller, buildId: string): Promise<void> {
  const builds = await listBuilds(client);
  if (builds.some(({ current }) => current)) return;
  await setCurrentBuild(client, buildId, { unseen: true });
}
