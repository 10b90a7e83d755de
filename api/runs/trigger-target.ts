import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { readWorkflow } from './read-runs.ts';

/** The workflow that a trigger is to start: it must be there when the trigger is made. @throws NOT_FOUND */
export async function targetWorkflow(
  deps: RunsDeps,
  principal: Principal,
  { workflowId, version }: { workflowId: string; version?: number | null | undefined },
): Promise<PublishedDefinition> {
  const published = await readWorkflow(deps, principal, workflowId, version ?? undefined);
  if (published) return published;
  const id = version === null || version === undefined ? workflowId : `${workflowId} version ${version}`;
  throw new AppError('NOT_FOUND', { what: 'Workflow', id });
}

/** Of a constant input, which need not wait for the first firing to be found wrong. @throws INPUT_INVALID */
export function checkConstantInput(deps: RunsDeps, published: PublishedDefinition, input: Json): void {
  const paths = deps.validators.of(published.hash, published.definition.input)(input);
  if (paths.length === 0) return;
  const detail = paths.map(({ path, message }) => `${path || '/'} ${message}`).slice(0, 3);
  throw new AppError('INPUT_INVALID', { detail: detail.join('; '), paths });
}

/** @throws INPUT_INVALID */
export function checkTriggerId(id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id)) return id;
  throw argumentInvalid('id', 'must be 1 to 100 letters, digits, dots, hyphens and underscores');
}
