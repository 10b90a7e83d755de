import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { followMigration } from '../../domain/events/follow-migration.ts';
import { diffRun, type RunDiff } from '../../domain/runs/time-travel/diff-run.ts';
import { createCompiledDefinitions } from './compiled-definitions.ts';
import { foldOn, readStateOf } from './run-state-at.ts';

/** `to` is the last event known when the one asked for is not there. */
export type RunDiffBetween = RunDiff & { from: number; to: number; definitionChanged: boolean };

/** What the events after `from` up to and with `to` have changed; over links of the run and changes of its version. @throws NOT_FOUND */
export async function readRunDiff(pool: pg.Pool, runId: string, from: number, to: number): Promise<RunDiffBetween> {
  const definitions = createCompiledDefinitions(pool);
  const start = await readStateOf(pool, runId, definitions, from);
  const changed = new ChangedExecutions(start.compiled, start.state, start.state);
  let end = start;
  for await (const { migration, point } of foldOn(pool, runId, definitions, start, to)) {
    if (migration) followMigration(changed, end, point, migration);
    else changed.folded(point.state);
    end = point;
  }
  return {
    ...diffRun(start.state, end.state, changed),
    from: start.sequence,
    to: end.sequence,
    definitionChanged: start.definitionHash !== end.definitionHash,
  };
}
