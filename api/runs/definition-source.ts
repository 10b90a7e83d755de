import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { readWorkflow } from './read-runs.ts';

export type DefinitionSource = { workflowId?: string | null; version?: number | null; definition?: Json };

/** @throws NOT_FOUND, INPUT_INVALID, DEFINITION_INVALID with every problem */
export async function resolveDefinition(
  deps: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  { workflowId, version, definition }: DefinitionSource,
): Promise<WorkflowDefinition> {
  const given = definition !== undefined && definition !== null;
  if (given === (workflowId !== undefined && workflowId !== null)) {
    throw new AppError('INPUT_INVALID', { detail: 'either workflowId or definition is meant' });
  }
  if (given) return validated(definition);
  const published = await readWorkflow(deps, principal, String(workflowId), version ?? undefined);
  if (published) return published.definition;
  const id = version === undefined || version === null ? workflowId : `${workflowId}@${version}`;
  throw new AppError('NOT_FOUND', { what: 'Workflow', id });
}

function validated(value: Json): WorkflowDefinition {
  const problems = validateDefinition(value);
  if (problems.length > 0 || !isJsonObject(value))
    throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
  return value as unknown as WorkflowDefinition;
}
