import { AppError } from '../../errors.ts';
import type { CompiledDefinition } from '../compile.ts';
import type { MigrateArguments } from '../messages.ts';
import type { RunState } from '../run-state.ts';
import { migrateState } from './migrate-state.ts';

/** The state in the other version. @throws AppError MIGRATION_REFUSED with every problem */
export function migratedState(
  from: CompiledDefinition,
  to: CompiledDefinition,
  state: RunState,
  { version, mapping, webhooks }: Pick<MigrateArguments, 'version' | 'mapping' | 'webhooks'>,
): RunState {
  const after = migrateState(from, to, state, mapping);
  if (Array.isArray(after)) {
    const detail = after.map(({ message }) => message).join('; ');
    throw new AppError('MIGRATION_REFUSED', { version, detail, problems: after });
  }
  return webhooks === undefined ? after : { ...after, webhooks: { ...after.webhooks, ...webhooks } };
}
