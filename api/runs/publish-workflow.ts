import { publishDefinition, readDefinition } from '../../adapters/postgres/definition-store.ts';
import { agentDefinition } from '../../domain/agents/agent-definition.ts';
import { agentNodesOf, type AgentPin, agentWorkflowName, pinAgents } from '../../domain/agents/agent-children.ts';
import { isAgentDefinition } from '../../domain/agents/validate-agents.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash, workflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
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
  const pinned = pinAgents(
    definition,
    await publishAgents(deps, principal, definition),
  ) as unknown as WorkflowDefinition;
  await refuseNameOfCode(deps, principal, pinned.name);
  const hash = definitionHash(contentHash(canonicalJson(pinned)));
  const { tenantId, subject } = principal;
  return publishDefinition(deps.pool, { tenantId, hash, definition: pinned, by: subject });
}

/** What `agentDefinition` takes for granted of an agent that is published by itself. @throws DEFINITION_INVALID */
export async function assertAgentConfig(
  deps: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  name: string,
  config: JsonObject,
): Promise<void> {
  // What the prompt is, the one who starts it says.
  const node = { id: 'agent', type: 'agent', config: { prompt: '', ...config } };
  const problems = validateDefinition({ name, nodes: [node], edges: [] });
  if (problems.length > 0) throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
  await refuseNameOfOther(deps, principal, name, 'agent');
}

/** Each agent node runs a workflow of its own, made of its config and published before it, as are those of the agents in it. */
async function publishAgents(
  deps: Pick<RunsDeps, 'pool' | 'pools'>,
  principal: Principal,
  definition: Json,
): Promise<Map<number, AgentPin>> {
  const pins = new Map<number, AgentPin>();
  for (const { node, index, config } of agentNodesOf(definition)) {
    const name = agentWorkflowName(String((definition as JsonObject)['name']), String(node['id']));
    await refuseNameOfOther(deps, principal, name, String(node['id']));
    const made = agentDefinition(name, config) as unknown as Json;
    const { workflowId: workflow, version, hash } = await publishWorkflow(deps, principal, made);
    pins.set(index, { workflow, version, hash });
  }
  return pins;
}

async function refuseNameOfOther(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  name: string,
  nodeId: string,
): Promise<void> {
  const earlier = await readDefinition(pool, tenantId, workflowId(name));
  if (!earlier || isAgentDefinition(earlier.definition)) return;
  const message = `${name}, as the workflow of agent ${nodeId} would be called, is the name of another workflow`;
  const problem: DefinitionProblem = {
    code: 'NAME_INVALID',
    path: '/name',
    nodeId,
    message,
    hint: 'Rename one of them.',
  };
  throw new AppError('DEFINITION_INVALID', { count: 1, problems: [problem] });
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
