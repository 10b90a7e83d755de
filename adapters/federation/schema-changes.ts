import { Supergraph } from '@apollo/federation-internals';
import { type Change, CriticalityLevel, diff } from '@graphql-inspector/core';
import { type DocumentNode, type GraphQLSchema, specifiedRules, validate } from 'graphql';

export type SchemaChange = {
  type: string;
  severity: 'BREAKING' | 'DANGEROUS' | 'SAFE';
  message: string;
  /** `Type.field.argument`. */
  path: string | null;
  reason: string | null;
};

/** What callers see of a supergraph. */
export const publicSchema = (supergraphSdl: string): GraphQLSchema =>
  Supergraph.build(supergraphSdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();

const ORDER = [CriticalityLevel.Breaking, CriticalityLevel.Dangerous, CriticalityLevel.NonBreaking];
const SEVERITIES = {
  [CriticalityLevel.Breaking]: 'BREAKING',
  [CriticalityLevel.Dangerous]: 'DANGEROUS',
  [CriticalityLevel.NonBreaking]: 'SAFE',
} as const;

/** What changes for callers, the worst first. */
export async function schemaChanges(before: GraphQLSchema, after: GraphQLSchema): Promise<SchemaChange[]> {
  const changes = await diff(before, after);
  const rank = ({ criticality }: Change) => ORDER.indexOf(criticality.level);
  return changes
    .sort((left, right) => rank(left) - rank(right))
    .map(({ type, criticality, message, path }) => ({
      type: String(type),
      severity: SEVERITIES[criticality.level],
      message,
      path: path ?? null,
      reason: criticality.reason ?? null,
    }));
}

export type BrokenOperation = { name: string; message: string };

/** Of operations that callers use, those that were valid and are no more. */
export function brokenOperations(
  before: GraphQLSchema,
  after: GraphQLSchema,
  operations: readonly { name: string; document: DocumentNode }[],
): BrokenOperation[] {
  return operations.flatMap(({ name, document }) => {
    if (validate(before, document, specifiedRules).length > 0) return [];
    return validate(after, document, specifiedRules).map(({ message }) => ({ name, message }));
  });
}
