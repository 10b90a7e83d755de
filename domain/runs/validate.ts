import type { DefinitionProblem } from './definition.ts';
import { LIMITS } from './limits.ts';
import { problemList } from './problem-list.ts';
import { validateConfigs } from './validate-config.ts';
import { validateGraph } from './validate-graph.ts';
import { validateShape } from './validate-shape.ts';

/**
 * Every problem of a definition, not just the first; none means that it can be published and run.
 * Whether `input` is a sound JSON Schema is checked at the doors, where a schema compiler is.
 */
export function validateDefinition(value: unknown): DefinitionProblem[] {
  const { problems, report } = problemList();
  const bytes = JSON.stringify(value)?.length ?? 0;
  if (bytes > LIMITS.definitionBytes) {
    report(
      'LIMIT_EXCEEDED',
      [],
      null,
      `The definition has ${bytes} characters; the limit is ${LIMITS.definitionBytes}`,
    );
    return problems;
  }
  if (!validateShape(value, report)) return problems;
  const ancestors = validateGraph(value, report);
  validateConfigs(value, ancestors, report);
  return problems;
}
