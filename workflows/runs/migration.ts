import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { defineUpdate, setHandler } from '@temporalio/workflow';
import type { JsonObject } from '../../domain/json.ts';
import { compileDefinition, type CompiledDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type DefinitionArgument, MIGRATE_UPDATE, type MigrateArguments } from '../../domain/runs/messages.ts';
import type { RunDriver } from './run-driver.ts';
import { toApplicationFailure } from './to-application-failure.ts';

/** A version that the run is on its way to. */
export type Migration = {
  definition: WorkflowDefinition;
  to: CompiledDefinition;
  request: MigrateArguments;
  done: () => void;
  refused: (error: unknown) => void;
};

const update = defineUpdate<JsonObject, [MigrateArguments, DefinitionArgument]>(MIGRATE_UPDATE);

/** Answers when the run goes on in the other version, or when that has turned out not to be possible. */
export function handleMigration(driver: RunDriver): void {
  setHandler(
    update,
    async (request, { weftDefinition: definition }) => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const to = compileDefinition(definition);
      driver.migrate({ definition, to, request, done: () => resolve(undefined), refused: reject });
      try {
        await promise;
      } catch (error) {
        throw toApplicationFailure(error);
      }
      return { version: request.version };
    },
    {
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
      validator: (request, { weftDefinition }) => {
        try {
          driver.assertCanMigrate({ to: compileDefinition(weftDefinition), request });
        } catch (error) {
          throw toApplicationFailure(error);
        }
      },
    },
  );
}
