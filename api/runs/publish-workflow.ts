import { publishDefinition } from '../../adapters/postgres/definition-store.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { DefinitionProblem, WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import { queueProblems } from '../../domain/runs/validate-queues.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { inputSchemaProblems } from './input-validators.ts';

/** Every problem of a definition: the input schema's, and those of queues that this principal may not use, included. */
export function validateWorkflow(
  deps: Pick<RunsDeps, 'pools'>,
  principal: Principal,
  value: Json,
): DefinitionProblem[] {
  return [
    ...validateDefinition(value),
    ...(isJsonObject(value) ? inputSchemaProblems(value['input']) : []),
    ...queueProblems(value, deps.pools, principal),
  ];
}

/** The same content gives the same version. @throws DEFINITION_INVALID with every problem */
export async function publishWorkflow(
  deps: Pick<RunsDeps, 'pool' | 'pools'>,
  principal: Principal,
  value: Json,
): Promise<PublishedDefinition> {
  const problems = validateWorkflow(deps, principal, value);
  if (problems.length > 0) throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
  const definition = value as unknown as WorkflowDefinition;
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  return publishDefinition(deps.pool, { tenantId: principal.tenantId, hash, definition });
}
