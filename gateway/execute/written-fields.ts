import type { FetchNode } from '@apollo/query-planner';
import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, parse, type SelectionSetNode } from 'graphql';

/** Where in the response a fetch writes: paths of response names, whatever the types, without the type names. */
export function writtenFields(node: FetchNode, at: readonly string[]): ReadonlySet<string> {
  const { definitions } = parse(node.operation, { noLocation: true });
  const operation = definitions.find((one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION);
  const fragments = new Map(
    definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment.selectionSet]),
  );
  const fields = new Set<string>();
  const base = at.filter((part) => part !== '@').join('.');
  if (operation === undefined) return fields;
  for (const root of rootsOf(node, operation.selectionSet)) collect(root, base, fragments, fields);
  const renamed = (node.outputRewrites ?? []).flatMap((one) => (one.kind === 'KeyRenamer' ? [one] : []));
  for (const { path, renameKeyTo } of renamed) fields.add(joined(base, [...named(path.slice(0, -1)), renameKeyTo]));
  return fields;
}

function rootsOf(node: FetchNode, selectionSet: SelectionSetNode): SelectionSetNode[] {
  if (node.requires === undefined) return [selectionSet];
  return selectionSet.selections.flatMap((one) =>
    'selectionSet' in one && one.selectionSet ? [one.selectionSet] : [],
  );
}

function collect(
  { selections }: SelectionSetNode,
  at: string,
  fragments: ReadonlyMap<string, SelectionSetNode>,
  fields: Set<string>,
): void {
  for (const one of selections) {
    if (one.kind !== Kind.FIELD) {
      const inner = one.kind === Kind.INLINE_FRAGMENT ? one.selectionSet : fragments.get(one.name.value);
      if (inner !== undefined) collect(inner, at, fragments, fields);
      continue;
    }
    const name = one.alias?.value ?? one.name.value;
    if (name === '__typename') continue;
    const path = joined(at, [name]);
    fields.add(path);
    if (one.selectionSet !== undefined) collect(one.selectionSet, path, fragments, fields);
  }
}

const named = (path: readonly string[]): string[] => path.filter((part) => !part.startsWith('... on '));
const joined = (base: string, parts: readonly string[]): string => (base === '' ? parts : [base, ...parts]).join('.');
