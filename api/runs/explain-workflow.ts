import { describeDiff, diffDefinitions, type DefinitionDiff } from '../../domain/authoring/diff-definitions.ts';
import { explainDefinition, type Explanation } from '../../domain/authoring/explain-definition.ts';
import type { Json } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Completion, completionsAt } from '../../domain/runs/expression-types-complete.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import type { Principal } from '../access/principal.ts';
import { type DefinitionSource, resolveDefinition } from './definition-source.ts';
import type { RunsDeps } from './deps.ts';

type Reading = Pick<RunsDeps, 'pool'>;

/** @throws NOT_FOUND, INPUT_INVALID, DEFINITION_INVALID */
export async function explainWorkflow(
  deps: Reading,
  principal: Principal,
  { source, input }: { source: DefinitionSource; input?: Json },
): Promise<Explanation> {
  return explainDefinition(await resolveDefinition(deps, principal, source), input);
}

/** @throws NOT_FOUND, INPUT_INVALID, DEFINITION_INVALID */
export async function diffWorkflow(
  deps: Reading,
  principal: Principal,
  { before, after }: { before: DefinitionSource; after: DefinitionSource },
): Promise<{ same: boolean; changes: string[]; diff: DefinitionDiff }> {
  const [left, right] = await Promise.all([before, after].map((source) => resolveDefinition(deps, principal, source)));
  const diff = diffDefinitions(left as WorkflowDefinition, right as WorkflowDefinition);
  return { same: diff.same, changes: describeDiff(diff), diff };
}

/** Problems of the graph leave nothing to complete from; those of fields and expressions do not matter. */
const SENSELESS = new Set(['DEFINITION_SHAPE', 'LIMIT_EXCEEDED', 'CYCLE', 'CONFIG_TYPE', 'NODE_ID_DUPLICATE']);

export function expressionCompletions(request: {
  definition: Json;
  nodeId?: string | null;
  field: string;
  offset: number;
}): Completion[] {
  const { definition, nodeId = null, field, offset } = request;
  if (validateDefinition(definition).some(({ code }) => SENSELESS.has(code))) return [];
  return completionsAt(definition as unknown as WorkflowDefinition, nodeId, field, offset);
}
