import type { MigratedTo } from '../runs/messages.ts';
import { correspond } from '../runs/versions/node-mapping.ts';
import type { ChangedExecutions } from './changed-executions.ts';
import type { RunFold } from './run-fold.ts';

/** What a change of the version means to what is recorded of a run. */
export type RecordedMigration = {
  version: number;
  hash: string;
  /** Nodes of the old version that go by another id, and those that the new one does not have. */
  renamed: { from: string; to: string }[];
  removed: string[];
  /** Nodes of the new version, in its order. */
  nodes: string[];
};

export function followMigration(
  changed: ChangedExecutions,
  before: RunFold,
  after: RunFold,
  { version, hash, mapping }: MigratedTo,
): RecordedMigration {
  const { targetOf } = correspond(before.compiled, after.compiled, mapping);
  changed.migrated(after.compiled, after.state, (id) => {
    const target = targetOf(id.replace(UNDO, ''));
    return target === null ? null : `${target.id}${UNDO.exec(id)?.[0] ?? ''}`;
  });
  const ids = before.compiled.nodes.map((node) => node.id as string);
  return {
    version,
    hash,
    renamed: ids.flatMap((from) => {
      const to = targetOf(from)?.id;
      return to === undefined || to === from ? [] : [{ from, to }];
    }),
    removed: ids.filter((id) => targetOf(id) === null),
    nodes: after.compiled.nodes.map((node) => node.id),
  };
}

const UNDO = /\.undo$/;
