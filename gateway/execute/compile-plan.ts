import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { OperationTypeNode } from 'graphql';
import { compileRewrites, type Rewrite } from './rewrites.ts';
import { writtenFields } from './written-fields.ts';

export type FetchStep = {
  kind: 'fetch';
  /** Its name among the steps that deferred parts wait for. */
  id: string | undefined;
  subgraph: string;
  operationKind: OperationTypeNode;
  operation: string;
  /** The request's body up to its first variable. */
  bodyHead: string;
  variables: readonly string[];
  requires: readonly QueryPlanSelectionNode[] | null;
  inputRewrites: readonly Rewrite[] | null;
  outputRewrites: readonly Rewrite[] | null;
  /** Objects with equal representations may hold one and the same answer: nobody else writes into it. */
  sharesAnswers: boolean;
};

export type DeferredPart = {
  dependsOn: readonly string[];
  label: string | undefined;
  queryPath: readonly string[];
  subselection: string | undefined;
  step: PlanStep | null;
};

export type PlanStep =
  | FetchStep
  | { kind: 'sequence'; steps: readonly PlanStep[] }
  | { kind: 'parallel'; steps: readonly PlanStep[] }
  | { kind: 'flatten'; path: readonly string[]; step: PlanStep }
  | { kind: 'condition'; variable: string; yes: PlanStep | null; no: PlanStep | null }
  | { kind: 'defer'; primary: PlanStep | null; subselection: string | undefined; parts: readonly DeferredPart[] };

export function compilePlan(node: PlanNode | undefined): PlanStep | null {
  if (node === undefined) return null;
  const writers: Writer[] = [];
  const step = compileNode(node, [], writers);
  for (const writer of writers) writer.step.sharesAnswers = !isWrittenByOthers(writer, writers);
  return step;
}

type Writer = { step: FetchStep; fields: ReadonlySet<string> };

function isWrittenByOthers(writer: Writer, writers: readonly Writer[]): boolean {
  return writers.some((other) => other !== writer && !writer.fields.isDisjointFrom(other.fields));
}

function compileNode(node: PlanNode, path: readonly string[], writers: Writer[]): PlanStep {
  const inner = (child: PlanNode | undefined) => (child === undefined ? null : compileNode(child, path, writers));
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel': {
      const steps = node.nodes.map((child) => compileNode(child, path, writers));
      return { kind: node.kind === 'Sequence' ? 'sequence' : 'parallel', steps };
    }
    case 'Flatten': {
      const flat = node.path.map(String);
      return { kind: 'flatten', path: flat, step: compileNode(node.node, [...path, ...flat], writers) };
    }
    case 'Condition':
      return { kind: 'condition', variable: node.condition, yes: inner(node.ifClause), no: inner(node.elseClause) };
    case 'Defer':
      return {
        kind: 'defer',
        primary: inner(node.primary.node),
        subselection: node.primary.subselection,
        parts: node.deferred.map((part) => ({
          dependsOn: part.depends.map(({ id }) => id),
          label: part.label,
          queryPath: part.queryPath,
          subselection: part.subselection,
          step: inner(part.node),
        })),
      };
    case 'Fetch': {
      const step = compileFetch(node);
      writers.push({ step, fields: writtenFields(node, path) });
      return step;
    }
  }
}

export function compileFetch(node: FetchNode): FetchStep {
  const { operation, operationName } = node;
  const head = JSON.stringify({ query: operation, ...(operationName !== undefined && { operationName }) });
  return {
    kind: 'fetch',
    id: node.id,
    subgraph: node.serviceName,
    operationKind: node.operationKind,
    operation,
    bodyHead: `${head.slice(0, -1)},"variables":{`,
    variables: node.variableUsages ?? [],
    requires: node.requires ?? null,
    inputRewrites: compileRewrites(node.inputRewrites),
    outputRewrites: compileRewrites(node.outputRewrites),
    sharesAnswers: false,
  };
}
