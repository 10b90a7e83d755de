import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  type ContinueAsNewOptions,
  defineQuery,
  makeContinueAsNewFunc,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { InitialVersioningBehavior } from '@temporalio/common';
import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import {
  type ChildResult,
  type DefinitionArgument,
  INTERPRETER_VERSION,
  type MigratedTo,
  type RunArguments,
  STATE_QUERY,
} from '../../domain/runs/messages.ts';
import type { JsonSchema } from '../../domain/runs/definition.ts';
import { stateAsJson } from '../../domain/runs/run-state.ts';
import { schemaProblem } from '../../domain/runs/schema-problem.ts';
import { type Ending, RunDriver } from './run-driver.ts';
import { handleMigration, type Migration } from './migration.ts';
import { handleMessages } from './run-messages.ts';
import { toApplicationFailure } from './to-application-failure.ts';
import { upgradeOnContinue } from './upgrade-on-continue.ts';

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
  handleMigration(driver);
  CancellationScope.current().cancelRequested.catch(() =>
    driver.receive({ type: 'run.cancel_requested', at: Date.now(), reason: null }),
  );
  assertChildInput(args, definition.weftDefinition.input);
  driver.start(args);
  const ending = await ended;
  if (ending.type !== 'continueAsNew') return finish(ending, args, driver);
  return CancellationScope.nonCancellable(async () => {
    await condition(allHandlersFinished);
    upgradeOnContinue();
    const next = makeContinueAsNewFunc<typeof run>(nextOptions(ending.migration));
    const { migration } = ending;
    return next(
      nextArguments(args, driver, migration),
      migration ? { weftDefinition: migration.definition } : definition,
    );
  });
}

/** The doors check the input of a run that somebody starts; that of a child run is made by its parent. */
function assertChildInput({ child, slice, continued, input }: RunArguments, schema: JsonSchema | undefined): void {
  if (!child || slice || continued || schema === undefined) return;
  const problem = schemaProblem(schema, input);
  if (problem !== null) throw toApplicationFailure(new AppError('INPUT_INVALID', { detail: problem }));
}

/** A link that takes up another version is known by it from outside. */
function nextOptions(migration: Migration | null): ContinueAsNewOptions {
  const upgrade = { initialVersioningBehavior: InitialVersioningBehavior.AUTO_UPGRADE };
  if (migration === null) return upgrade;
  const { version, hash } = migration.request;
  const { memo, searchAttributes } = workflowInfo();
  return {
    ...upgrade,
    memo: { ...memo, version, definitionHash: hash },
    searchAttributes: { ...searchAttributes, WeftVersion: [version] },
  };
}

const nextArguments = (args: RunArguments, driver: RunDriver, migration: Migration | null): RunArguments => ({
  input: null,
  interpreterVersion: INTERPRETER_VERSION,
  ...(args.child ? { child: true } : {}),
  continued: driver.state,
  ...(migration ? { migrated: migratedTo(migration) } : {}),
});

function migratedTo({ request }: Migration): MigratedTo {
  const { version, hash, mapping, webhooks, by } = request;
  return { version, hash, mapping, by, ...(webhooks === undefined ? {} : { webhooks }) };
}

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
