import { type DocumentNode, Kind, parse, visit } from 'graphql';

/**
 * Fields with arguments inside `@requires`: two of them that differ become one in the plan, which then gives wrong values
 * without an error.
 */
export function requiredArguments(subgraph: string, sdl: DocumentNode): string[] {
  const problems: string[] = [];
  let type = '';
  const rememberType = (node: { name: { value: string } }): void => {
    type = node.name.value;
  };
  visit(sdl, {
    ObjectTypeDefinition: rememberType,
    ObjectTypeExtension: rememberType,
    InterfaceTypeDefinition: rememberType,
    InterfaceTypeExtension: rememberType,
    FieldDefinition({ name, directives = [] }) {
      for (const directive of directives) {
        if (directive.name.value !== 'requires' && directive.name.value !== 'federation__requires') continue;
        const fields = directive.arguments?.find((argument) => argument.name.value === 'fields')?.value;
        if (fields?.kind !== Kind.STRING) continue;
        for (const found of fieldsWithArguments(fields.value)) {
          problems.push(`[${subgraph}] ${type}.${name.value}: @requires may not give arguments to ${found}`);
        }
      }
    },
  });
  return problems;
}

function fieldsWithArguments(fields: string): string[] {
  const found: string[] = [];
  visit(parse(`{ ${fields.trim().replace(/^\{(.*)\}$/s, '$1')} }`), {
    Field(field) {
      if (field.arguments?.length) found.push(field.name.value);
    },
  });
  return found;
}
