import {
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  defineQuery,
  defineUpdate,
  setHandler,
  Trigger,
} from '@temporalio/workflow';
import type { Json, JsonObject } from '../../domain/json.ts';
import { assertCanDecide } from '../../domain/runs/approval.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import type { Command } from '../../domain/runs/decide.ts';
import {
  APPROVE_UPDATE,
  type ApproveArguments,
  type DefinitionArgument,
  type RunArguments,
  STATE_QUERY,
} from '../../domain/runs/messages.ts';
import { stateAsJson } from '../../domain/runs/run-state.ts';
import { RunDriver } from './run-driver.ts';
import { toApplicationFailure } from './to-application-failure.ts';

const approve = defineUpdate<JsonObject, [ApproveArguments]>(APPROVE_UPDATE);
const state = defineQuery<JsonObject>(STATE_QUERY);

/** Interprets any definition: the engine decides, Temporal does. */
export async function run(args: RunArguments, { weftDefinition }: DefinitionArgument): Promise<Json> {
  const closing = new Trigger<Command>();
  const compiled = compileDefinition(weftDefinition);
  const driver = new RunDriver(compiled, (command) => closing.resolve(command));

  setHandler(state, () => stateAsJson(driver.state));
  setHandler(approve, (request) => driver.decideApproval(request), {
    validator: (request) => {
      try {
        assertCanDecide(compiled, driver.state, request, Date.now(), driver.deadlineOf(request.nodeId));
      } catch (error) {
        throw toApplicationFailure(error);
      }
    },
  });
  CancellationScope.current().cancelRequested.catch(() => driver.requestCancel());

  driver.start(args.input);
  return finish(await closing);
}

function finish(command: Command): Json {
  switch (command.type) {
    case 'completeRun':
      return command.output;
    case 'failRun': {
      const { code, message, nodeId, hint } = command.error;
      throw ApplicationFailure.nonRetryable(message, code, { nodeId, hint });
    }
    default:
      throw new CancelledFailure('The run was cancelled');
  }
}
