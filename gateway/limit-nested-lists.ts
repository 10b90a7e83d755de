import { GraphQLError, Kind, type ASTVisitor, type ValidationContext } from 'graphql';

const MAXIMUM_DEPTH = 8;

/**
 * The planner (2.14.4, collectVariablesInValue) visits each level of nested list literals twice: 2^depth steps, minutes at 30 levels.
 * Lists in variables are not visited.
 */
export function limitNestedLists(context: ValidationContext): ASTVisitor {
  let depth = 0;
  return {
    [Kind.LIST]: {
      enter(node) {
        depth += 1;
        if (depth <= MAXIMUM_DEPTH) return undefined;
        depth -= 1;
        const message = `List literals may be nested ${MAXIMUM_DEPTH} deep; send deeper ones in a variable`;
        context.reportError(new GraphQLError(message, { nodes: node }));
        return false;
      },
      leave() {
        depth -= 1;
      },
    },
  };
}
