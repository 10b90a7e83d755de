import { validateAgents } from '../agents/validate-agents.ts';
import type { JsonObject } from '../json.ts';
import type { DefinitionProblem, WorkflowDefinition } from './definition.ts';
import { validateTypes } from './expression-types-check.ts';
import { LIMITS } from './limits.ts';
import { problemList, type Report } from './problem-list.ts';
import { validateConfigs } from './validate-config.ts';
import { validateGraph } from './validate-graph.ts';
import { validateShape } from './validate-shape.ts';

/**
 * Every problem of a definition, not just the first; none means that it can be published and run.
 * Whether `input` is a sound JSON Schema is checked at the doors, where a schema compiler is.
 */
export function validateDefinition(value: unknown): DefinitionProblem[] {
  const { problems, report } = problemList();
  if (!validateSize(value, report)) return problems;
  const definition = validateShape(value, report);
  if (definition === null) return problems;
  const graph = validateGraph(definition, report);
  const { ancestors } = graph;
  validateConfigs(definition, graph, report);
  if (ancestors !== null) validateTypes(value as WorkflowDefinition, report);
  validateAgents(value as JsonObject, report, validateDefinition);
  return problems;
}

function validateSize(value: unknown, report: Report): boolean {
  const characters = isBounded(value) ? (JSON.stringify(value) ?? '').length : Infinity;
  if (characters <= LIMITS.definitionBytes) return true;
  const message = `A definition has at most ${LIMITS.definitionBytes} characters of JSON, nested ${LIMITS.definitionDepth} deep`;
  report('LIMIT_EXCEEDED', [], null, message);
  return false;
}

/** Level by level, so that no depth exhausts the stack; a value that contains itself is too deep or too big. */
function isBounded(value: unknown): boolean {
  let level = [value];
  let parts = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    parts += level.length;
    if (
      depth > LIMITS.definitionDepth ||
      parts > LIMITS.definitionBytes ||
      level.some((part) => typeof part === 'bigint')
    ) {
      return false;
    }
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
  return true;
}
