import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';

/** How large an operation is, with its fragments as often as they are spread. */
export type Measures = { depth: number; fields: number; aliases: number; rootFields: number; directives: number };

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;
const NOTHING: Measures = { depth: 0, fields: 0, aliases: 0, rootFields: 0, directives: 0 };

/** Of its largest operation; needs no schema, and takes a time that grows with the text alone. */
export function measureDocument({ definitions }: DocumentNode): Measures {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const known = new Map<string, Measures>();
  return operations
    .map(({ selectionSet, directives = [] }) => {
      const measures = measure(selectionSet.selections, fragments, known);
      return { ...measures, directives: measures.directives + directives.length };
    })
    .reduce((most, one) => combined(most, one, Math.max), NOTHING);
}

function measure(selections: readonly SelectionNode[], fragments: Fragments, known: Map<string, Measures>): Measures {
  let total = NOTHING;
  for (const selection of selections) total = combined(total, measureOne(selection, fragments, known), add);
  return total;
}

function measureOne(selection: SelectionNode, fragments: Fragments, known: Map<string, Measures>): Measures {
  const directives = selection.directives?.length ?? 0;
  if (selection.kind === Kind.FRAGMENT_SPREAD) {
    const inner = measureFragment(selection.name.value, fragments, known);
    return { ...inner, directives: add(inner.directives, directives) };
  }
  const inner = measure(selection.selectionSet?.selections ?? [], fragments, known);
  if (selection.kind === Kind.INLINE_FRAGMENT) return { ...inner, directives: add(inner.directives, directives) };
  return {
    depth: inner.depth + 1,
    fields: add(inner.fields, 1),
    aliases: add(inner.aliases, selection.alias ? 1 : 0),
    rootFields: 1,
    directives: add(inner.directives, directives),
  };
}

/** A fragment that spreads itself counts once: validation refuses it. */
function measureFragment(name: string, fragments: Fragments, known: Map<string, Measures>): Measures {
  const before = known.get(name);
  if (before !== undefined) return before;
  known.set(name, NOTHING);
  const measures = measure(fragments.get(name)?.selectionSet.selections ?? [], fragments, known);
  known.set(name, measures);
  return measures;
}

/** Fragments in fragments double with each level: more than this says nothing more. */
const add = (one: number, other: number): number => Math.min(one + other, Number.MAX_SAFE_INTEGER);

function combined(one: Measures, other: Measures, by: (one: number, other: number) => number): Measures {
  return {
    depth: Math.max(one.depth, other.depth),
    fields: by(one.fields, other.fields),
    aliases: by(one.aliases, other.aliases),
    rootFields: by(one.rootFields, other.rootFields),
    directives: by(one.directives, other.directives),
  };
}
