import { publishDefinition, readDefinition } from '../../adapters/postgres/definition-store.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash, workflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import { isCode } from '../../domain/runs/code-workflow.ts';
import type { DefinitionProblem, WorkflowDefinition } from '../../domain/runs/definition.ts';
import { LIMITS } from '../../domain/runs/limits.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import { queueProblems } from '../../domain/runs/validate-queues.ts';
import {
  pinSubworkflows,
  type PublishedChild,
  type SubworkflowReference,
  subworkflowsOf,
} from '../../domain/runs/versions/pin-subworkflows.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { inputSchemaProblems } from './input-validators.ts';

export type Checked = {
  problems: DefinitionProblem[];
  /** With its subworkflows pinned, where that was possible. */
  definition: Json;
};

/** Every problem of a definition: the input schema's, those of queues and of subworkflows included. */
export async function validateWorkflow(
  deps: Pick<RunsDeps, 'pool' | 'pools'>,
  principal: Principal,
  value: Json,
): Promise<DefinitionProblem[]> {
  return (await checkDefinition(deps, principal, value)).problems;
}

export async function checkDefinition(
  deps: Pick<RunsDeps, 'pool' | 'pools'>,
  principal: Principal,
  value: Json,
): Promise<Checked> {
  const published = await readChildren(deps, principal, value);
  const { definition, problems } = pinSubworkflows(value, (reference) => published.get(keyOf(reference)));
  return {
    definition,
    problems: [
      ...validateDefinition(value),
      ...(isJsonObject(value) ? inputSchemaProblems(value['input']) : []),
      ...queueProblems(value, deps.pools, principal),
      ...problems,
    ],
  };
}

const keyOf = ({ workflow, version }: SubworkflowReference): string => `${workflow}@${version ?? ''}`;

/** What a definition runs, and what that runs, as far as it is published. */
async function readChildren(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  value: Json,
): Promise<Map<string, PublishedChild>> {
  const found = new Map<string, PublishedChild>();
  const sought = new Set<string>();
  let references = subworkflowsOf(value);
  while (references.length > 0 && sought.size < LIMITS.subworkflows) {
    const next = references.filter((reference) => !sought.has(keyOf(reference)));
    for (const reference of next) sought.add(keyOf(reference));
    const read = await Promise.all(
      next.map(({ workflow, version }) => readDefinition(pool, tenantId, workflowId(workflow), version ?? undefined)),
    );
    for (const [index, reference] of next.entries()) {
      const child = read[index];
      // A child run is interpreted; code written by hand cannot be.
      if (child && !isCode(child.definition)) found.set(keyOf(reference), child);
    }
    references = read.flatMap((child) => (child ? subworkflowsOf(child.definition) : []));
  }
  return found;
}

/** The same content gives the same version. @throws DEFINITION_INVALID with every problem */
export async function publishWorkflow(
  deps: Pick<RunsDeps, 'pool' | 'pools'>,
  principal: Principal,
  value: Json,
): Promise<PublishedDefinition> {
  const { problems, definition } = await checkDefinition(deps, principal, value);
  if (problems.length > 0) throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
  const pinned = definition as unknown as WorkflowDefinition;
  await refuseNameOfCode(deps, principal, pinned.name);
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const { tenantId, subject } = principal;
  return publishDefinition(deps.pool, { tenantId, hash, definition: pinned, by: subject });
}

async function refuseNameOfCode(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  name: string,
): Promise<void> {
  const earlier = await readDefinition(pool, tenantId, workflowId(name));
  if (!earlier || !isCode(earlier.definition)) return;
  const problem: DefinitionProblem = {
    code: 'NAME_INVALID',
    path: '/name',
    nodeId: null,
    message: `${name} is the name of a workflow written by hand`,
    hint: 'Give one of them another name.',
  };
  throw new AppError('DEFINITION_INVALID', { count: 1, problems: [problem] });
}
