import type { WorkflowDefinition } from './definition.ts';

/** `DEFINITION` is interpreted by the engine, `CODE` is a Temporal workflow that somebody wrote. */
export type WorkflowKind = 'DEFINITION' | 'CODE';

/**
 * How a workflow written by hand stands among the published ones: a definition without nodes, which nobody can publish. The
 * engine folds its runs as far as they concern the run itself.
 */
export function codeDefinition(workflowType: string): WorkflowDefinition {
  const name = workflowType.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  return { name, nodes: [], edges: [], metadata: { workflowType } };
}

export const isCode = ({ nodes }: WorkflowDefinition): boolean => nodes.length === 0;

/** The Temporal workflow type of a workflow written by hand; null for one that the engine interprets. */
export function codeTypeOf(definition: WorkflowDefinition): string | null {
  const type = definition.metadata?.['workflowType'];
  return isCode(definition) && typeof type === 'string' ? type : null;
}
