import { type ASTVisitor, GraphQLError, type GraphQLFormattedError, Kind, type ValidationContext } from 'graphql';
import type { Settings } from '../../config/settings.ts';

/** Whether callers may learn the schema from the gateway. */
export function tellsSchema({
  WEFT_GATEWAY_INTROSPECTION: wanted,
  NODE_ENV,
}: Pick<Settings, 'WEFT_GATEWAY_INTROSPECTION' | 'NODE_ENV'>): boolean {
  return wanted === 'on' || (wanted === 'auto' && NODE_ENV !== 'production');
}

/** Refuses `__schema` and `__type`. */
export function forbidIntrospection(context: ValidationContext): ASTVisitor {
  return {
    [Kind.FIELD](node) {
      if (node.name.value !== '__schema' && node.name.value !== '__type') return;
      context.reportError(
        new GraphQLError('The schema is not told here', {
          nodes: node,
          extensions: {
            validationErrorCode: 'INTROSPECTION_DISABLED',
            hint: 'WEFT_GATEWAY_INTROSPECTION=on tells it.',
          },
        }),
      );
    },
  };
}

/** Without what graphql-js proposes instead of a name that is not there. */
export function withoutSuggestions(error: GraphQLFormattedError): GraphQLFormattedError {
  return { ...error, message: error.message.replace(/ ?Did you mean [^?]*\?/g, '') };
}
