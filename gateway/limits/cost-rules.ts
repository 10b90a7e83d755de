import { type ConstDirectiveNode, type ConstValueNode, Kind, parse } from 'graphql';

export type ListSize = {
  assumedSize: number | null;
  slicingArguments: readonly string[];
  /** Lists below the field that are as long; the field's own where there are none. */
  sizedFields: readonly string[];
  requireOneSlicingArgument: boolean;
};

/** `@cost` and `@listSize` by `Type`, `Type.field` and `Type.field(argument)`. */
export type CostRules = { weights: ReadonlyMap<string, number>; sizes: ReadonlyMap<string, ListSize> };

/** Reads them out of a supergraph, as the IBM GraphQL cost specification has them. */
export function costRules(supergraph: string): CostRules {
  const weights = new Map<string, number>();
  const sizes = new Map<string, ListSize>();
  const note = (place: string, directives: readonly ConstDirectiveNode[] = []): void => {
    for (const directive of directives) {
      const given = new Map((directive.arguments ?? []).map(({ name, value }) => [name.value, value]));
      if (directive.name.value === 'cost') weights.set(place, numberOf(given.get('weight')) ?? 1);
      if (directive.name.value === 'listSize') {
        sizes.set(place, {
          assumedSize: numberOf(given.get('assumedSize')),
          slicingArguments: textsOf(given.get('slicingArguments')),
          sizedFields: textsOf(given.get('sizedFields')),
          requireOneSlicingArgument: boolOf(given.get('requireOneSlicingArgument')) ?? true,
        });
      }
    }
  };
  for (const definition of parse(supergraph).definitions) {
    if (!('name' in definition) || definition.name === undefined || definition.kind === Kind.DIRECTIVE_DEFINITION)
      continue;
    const type = definition.name.value;
    if ('directives' in definition) note(type, definition.directives as readonly ConstDirectiveNode[]);
    if (!('fields' in definition)) continue;
    for (const field of definition.fields ?? []) {
      note(`${type}.${field.name.value}`, field.directives);
      if (!('arguments' in field)) continue;
      for (const argument of field.arguments ?? [])
        note(`${type}.${field.name.value}(${argument.name.value})`, argument.directives);
    }
  }
  return { weights, sizes };
}

/** Weights are texts in the specification; numbers are taken too. */
function numberOf(value: ConstValueNode | undefined): number | null {
  if (value === undefined || !('value' in value)) return null;
  const number = Number(value.value);
  return Number.isFinite(number) ? number : null;
}

const textsOf = (value: ConstValueNode | undefined): string[] =>
  value?.kind === Kind.LIST ? value.values.flatMap((one) => (one.kind === Kind.STRING ? [one.value] : [])) : [];
const boolOf = (value: ConstValueNode | undefined): boolean | null =>
  value?.kind === Kind.BOOLEAN ? value.value : null;
