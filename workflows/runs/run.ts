import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  setHandler,
} from '@temporalio/workflow';
import type { Json, JsonObject } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import {
  type ChildResult,
  type DefinitionArgument,
  INTERPRETER_VERSION,
  type RunArguments,
  STATE_QUERY,
} from '../../domain/runs/messages.ts';
import { stateAsJson } from '../../domain/runs/run-state.ts';
import { type Ending, RunDriver } from './run-driver.ts';
import { handleMessages } from './run-messages.ts';

const state = defineQuery<JsonObject>(STATE_QUERY);

/** Interprets any definition: the engine decides, Temporal does. */
export async function run(args: RunArguments, definition: DefinitionArgument): Promise<Json | ChildResult> {
  // Not a Trigger, which rejects when the run is cancelled: there may be undos left.
  const { promise: ended, resolve: end } = Promise.withResolvers<Ending>();
  const compiled = compileDefinition(definition.weftDefinition);
  const driver = new RunDriver(compiled, {
    interpreterVersion: args.interpreterVersion,
    slice: args.slice ?? null,
    continued: args.continued ?? null,
    end,
  });
  setHandler(state, () => stateAsJson(driver.state));
  handleMessages(compiled, driver);
  CancellationScope.current().cancelRequested.catch(() =>
    driver.receive({ type: 'run.cancel_requested', at: Date.now(), reason: null }),
  );
  driver.start(args.input, args.webhooks);
  const ending = await ended;
  if (ending.type !== 'continueAsNew') return finish(ending, args, driver);
  return CancellationScope.nonCancellable(async () => {
    await condition(allHandlersFinished);
    return continueAsNew<typeof run>(nextArguments(args, driver), definition);
  });
}

const nextArguments = (args: RunArguments, driver: RunDriver): RunArguments => ({
  input: null,
  interpreterVersion: INTERPRETER_VERSION,
  ...(args.child ? { child: true } : {}),
  continued: driver.state,
});

function finish(ending: Ending, args: RunArguments, driver: RunDriver): Json | ChildResult {
  switch (ending.type) {
    case 'completeRun':
      return args.child ? driver.childResult(ending.output) : ending.output;
    case 'failRun': {
      const { code, message, nodeId, hint } = ending.error;
      throw ApplicationFailure.nonRetryable(message, code, { nodeId, hint });
    }
    default:
      throw new CancelledFailure('The run was cancelled');
  }
}
