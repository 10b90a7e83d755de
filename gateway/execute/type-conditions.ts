import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

export type TypeTest = (typename: string, condition: string) => boolean;

/** Whether an object of the type is also of the condition's type; remembers each answer. */
export function createTypeTest(schema: GraphQLSchema): TypeTest {
  const known = new Map<string, boolean>();
  return (typename, condition) => {
    if (typename === condition) return true;
    const key = `${typename} ${condition}`;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = isOfType(schema, typename, condition);
      // Type names come from subgraphs: what the schema does not know must not fill the memory.
      if (schema.getType(typename) !== undefined) known.set(key, answer);
    }
    return answer;
  };
}

function isOfType(schema: GraphQLSchema, typename: string, condition: string): boolean {
  const type = schema.getType(typename);
  const conditionType = schema.getType(condition);
  return (
    isAbstractType(conditionType) &&
    (isObjectType(type) || isInterfaceType(type)) &&
    schema.isSubType(conditionType, type)
  );
}
