import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { codeTypeOf } from '../domain/runs/code-workflow.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import {
  type DefinitionArgument,
  INTERPRETER_VERSION,
  RUN_WORKFLOW_TYPE,
  type RunArguments,
} from '../domain/runs/messages.ts';
import type { TaskQueue } from '../domain/runs/queues.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { labelWords } from '../domain/runs/flow-control/labels.ts';
import type { TenantWeights } from '../domain/runs/flow-control/tenant-turns.ts';
import { runPriority } from './run-priority.ts';
import {
  LABELS_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  TENANT_ATTRIBUTE,
  VERSION_ATTRIBUTE,
  WORKFLOW_ATTRIBUTE,
} from './search-attributes.ts';

const RUNS_QUEUE: TaskQueue = 'runs';
type StartedRun = Pick<RunRecord, 'id' | 'tenantId' | 'workflowId' | 'version' | 'definitionHash' | 'input'> &
  Partial<Pick<RunRecord, 'labels' | 'priority' | 'rerun'>>;
export type StartContext = {
  /** W3C Trace Context; goes into the memo, and from there to every activity. */
  traceparent?: string | null;
  /** `X-Correlation-ID` of the request that started it, for whoever looks at Temporal. */
  correlationId?: string | null;
  tenantWeights?: TenantWeights;
  /** What a run that takes over results of another begins with. */
  beginning?: Pick<RunArguments, 'seed' | 'forked'> | null;
};

/** Starts the Temporal workflow of an inserted run. Idempotent: a run that was started before, open or closed, stays as it is. */
export async function startRunWorkflow(
  client: Client,
  run: StartedRun,
  definition: WorkflowDefinition,
  { traceparent = null, correlationId = null, tenantWeights = {}, beginning = null }: StartContext = {},
): Promise<void> {
  const byHand = codeTypeOf(definition);
  const interpreted: [RunArguments, DefinitionArgument] = [
    { input: run.input, interpreterVersion: INTERPRETER_VERSION, ...beginning },
    { weftDefinition: definition },
  ];
  const args = byHand === null ? interpreted : [run.input];
  const labels = labelWords(run.labels ?? {});
  const runTimeoutMs = definition.policies?.runTimeoutMs;
  try {
    await client.workflow.start(byHand ?? RUN_WORKFLOW_TYPE, {
      workflowId: run.id,
      taskQueue: RUNS_QUEUE,
      args,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      ...(runTimeoutMs === undefined ? {} : { workflowExecutionTimeout: runTimeoutMs }),
      priority: runPriority(run, definition, tenantWeights),
      staticSummary: `${run.workflowId} v${run.version}`,
      ...(definition.description === undefined ? {} : { staticDetails: definition.description }),
      memo: {
        workflow: run.workflowId,
        version: run.version,
        definitionHash: run.definitionHash,
        traceparent,
        ...(correlationId === null ? {} : { correlationId }),
        ...rerunMemo(run),
      },
      typedSearchAttributes: [
        { key: TENANT_ATTRIBUTE, value: run.tenantId },
        { key: WORKFLOW_ATTRIBUTE, value: run.workflowId },
        { key: VERSION_ATTRIBUTE, value: run.version },
        { key: STATUS_ATTRIBUTE, value: 'RUNNING' },
        ...(labels.length > 0 ? [{ key: LABELS_ATTRIBUTE, value: labels }] : []),
      ],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Whoever looks at Temporal alone sees where the results come from. */
function rerunMemo({ rerun }: Pick<StartedRun, 'rerun'>): { rerunOf?: string } {
  return rerun ? { rerunOf: rerun.of } : {};
}
