import { getVariableValues, type GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';

/** What is wrong with the values of an operation's variables. */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): readonly GraphQLError[] {
  if (variableDefinitions.length === 0) return [];
  return getVariableValues(schema, variableDefinitions, variables).errors ?? [];
}
