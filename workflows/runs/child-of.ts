import {
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { agentInput } from '../../domain/agents/agent.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { childRunId } from '../../domain/runs/child-run-id.ts';
import type { CompiledDefinition } from '../../domain/runs/compile.ts';
import type { Command } from '../../domain/runs/decide.ts';
import {
  type ChildResult,
  type DefinitionArgument,
  type DefinitionHashArgument,
  INTERPRETER_VERSION,
  RUN_WORKFLOW_TYPE,
  type RunArguments,
} from '../../domain/runs/messages.ts';
import { findNode } from '../../domain/runs/place.ts';
import { seedOfSlice } from '../../domain/runs/rerun/seed-of-slice.ts';
import type { RunState } from '../../domain/runs/run-state.ts';
import { inputForSlice, sliceOf } from '../../domain/runs/slice-of.ts';

type StartChild = Extract<Command, { type: 'startChild' }>;
type RunWorkflow = (
  args: RunArguments,
  definition: DefinitionArgument | DefinitionHashArgument,
) => Promise<ChildResult>;
export type ChildHandle = ChildWorkflowHandle<RunWorkflow>;

export const childIdOf = (command: Pick<StartChild, 'nodeId' | 'iteration' | 'chunk'>): string =>
  childRunId(workflowInfo().workflowId, command);

/**
 * Starts the run of a subworkflow node, or of some items of a map. Slices end with their run; a subworkflow outlives a link of
 * its parent, whose later links then wait for it by an activity.
 */
export function startChildRun(
  compiled: CompiledDefinition,
  state: RunState,
  command: StartChild,
): Promise<ChildHandle> {
  const { memo = {}, searchAttributes } = workflowInfo();
  const { chunk } = command;
  const node = findNode(compiled, state, command.nodeId, command.iteration);
  const config = (node?.input ?? {}) as JsonObject;
  const own =
    chunk === null
      ? subworkflow(config)
      : { workflow: memo['workflow'], version: memo['version'], hash: memo['definitionHash'] };
  const args: RunArguments = {
    input: chunk === null ? childInput(node?.type, config) : inputForSlice(compiled, state.input, command.nodeId),
    interpreterVersion: INTERPRETER_VERSION,
    child: true,
    addressedTo: childIdOf(command),
    ...(chunk === null ? {} : sliceArguments(compiled, state, { ...command, chunk })),
  };
  const definition: DefinitionArgument | DefinitionHashArgument =
    chunk === null ? { weftDefinitionHash: String(own.hash) } : { weftDefinition: compiled.definition };
  return startChild<RunWorkflow>(RUN_WORKFLOW_TYPE, {
    workflowId: childIdOf(command),
    args: [args, definition],
    parentClosePolicy: chunk === null ? ParentClosePolicy.ABANDON : ParentClosePolicy.TERMINATE,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `${String(own.workflow)} v${String(own.version)}${chunk === null ? '' : `, items of ${command.nodeId}`}`,
    memo: { ...memo, workflow: own.workflow, version: own.version, definitionHash: own.hash },
    searchAttributes: {
      ...inherited(searchAttributes, 'WeftTenant'),
      // Slices are found through the run that they are part of, and each attribute costs the server a part of a start.
      ...(chunk === null
        ? {
            ...inherited(searchAttributes, 'WeftLabels'),
            WeftWorkflow: [String(own.workflow)],
            WeftVersion: [Number(own.version)],
            WeftStatus: ['RUNNING'],
          }
        : {}),
    },
  });
}

function sliceArguments(
  compiled: CompiledDefinition,
  state: RunState,
  command: StartChild & { chunk: number },
): Pick<RunArguments, 'slice' | 'seed'> {
  const slice = sliceOf(compiled, state, command);
  const seed = seedOfSlice(compiled, state, slice);
  return { slice, ...(seed ? { seed } : {}) };
}

const childInput = (type: string | undefined, config: JsonObject): Json =>
  type === 'agent' ? agentInput(config) : (config['input'] ?? {});

const subworkflow = ({ workflow = null, version = null, hash = null }: JsonObject): { [name: string]: Json } => ({
  workflow,
  version,
  hash,
});

type Attributes = ReturnType<typeof workflowInfo>['searchAttributes'];
function inherited(attributes: Attributes, name: string): Attributes {
  const value = attributes[name];
  return value === undefined ? {} : { [name]: value };
}
