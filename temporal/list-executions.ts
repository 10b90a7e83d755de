import { type Client, isGrpcServiceError } from '@temporalio/client';
import { AppError } from '../domain/errors.ts';

const GRPC_INVALID_ARGUMENT = 3;

export type ExecutionsPage = {
  /** Each once, also where several links of it are in the page. */
  workflowIds: string[];
  /** How many links were found. */
  found: number;
  next: string | null;
};

/** A page of what a query finds, the newest first, behind the `next` of the page before. @throws INPUT_INVALID */
export async function listExecutions(
  client: Client,
  query: string,
  { first, after }: { first: number; after: string | null },
): Promise<ExecutionsPage> {
  try {
    const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize: first,
      ...(after === null ? {} : { nextPageToken: Buffer.from(after, 'base64url') }),
    });
    const workflowIds = executions.flatMap(({ execution }) => execution?.workflowId ?? []);
    const next = nextPageToken?.length ? Buffer.from(nextPageToken).toString('base64url') : null;
    return { workflowIds: [...new Set(workflowIds)], found: executions.length, next };
  } catch (error) {
    if (!isGrpcServiceError(error) || Number(error.code) !== GRPC_INVALID_ARGUMENT) throw error;
    throw new AppError('INPUT_INVALID', { detail: `query: ${error.details}`, paths: [] }, error);
  }
}
