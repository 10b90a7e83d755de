import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { NodeDefinition } from './definition.ts';
import type { TypeKind } from './expression-types.ts';
import { type FieldKind, isNodeType, nodeTypeRow } from './node-types.ts';

/** One text of a definition that is read as CEL or as a template. */
export type ExpressionText = {
  text: string;
  kind: 'expression' | 'template' | 'prompt';
  /** Inside of the node. */
  path: readonly (string | number)[];
  /** `body`: read inside of the container that the node is; `undo`: after the node itself. */
  scope: 'node' | 'body' | 'undo';
  /** What it has to give; null is anything. */
  gives: readonly TypeKind[] | null;
};

/** What expressions have to give where the kind of the field does not say it. */
const EXPECTED: Readonly<Record<string, readonly TypeKind[]>> = {
  'branch.condition': ['bool'],
  'approval.assignees': ['list'],
  'until.at': ['string', 'number', 'timestamp'],
  'map.items': ['list'],
  'loop.while': ['bool'],
  'loop.until': ['bool'],
  'content.analyze.text': ['string'],
  'content.analyze.title': ['string'],
  'model.complete.source': ['string'],
  'model.complete.messages': ['list'],
  'model.complete.images': ['list'],
  'model.complete.files': ['list'],
  'model.embed.texts': ['string', 'list'],
};

export function expressionsOf(node: NodeDefinition): ExpressionText[] {
  const own = configTexts(node.type, node.config, ['config'], 'node');
  const fallback = mappingTexts(node.fallback, ['fallback'], 'node');
  const { undo } = node;
  const undoing = undo === undefined ? [] : configTexts(undo.type, undo.config, ['undo', 'config'], 'undo');
  return [...own, ...fallback, ...undoing];
}

function configTexts(
  type: string,
  config: JsonObject | undefined,
  path: readonly string[],
  scope: ExpressionText['scope'],
): ExpressionText[] {
  if (!isNodeType(type) || !isJsonObject(config)) return [];
  const fields = nodeTypeRow(type).config;
  return Object.entries(config).flatMap(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) return [];
    const at = { path: [...path, name], scope: field.scope === 'body' ? ('body' as const) : scope };
    return fieldTexts(field.kind, value, EXPECTED[`${type}.${name}`] ?? null, at);
  });
}

type At = Pick<ExpressionText, 'path' | 'scope'>;

function fieldTexts(kind: FieldKind, value: Json, gives: ExpressionText['gives'], at: At): ExpressionText[] {
  switch (kind) {
    case 'expression':
      return textOf(value, 'expression', at, gives);
    case 'number':
      return textOf(value, 'expression', at, ['number']);
    case 'mapping':
      return mappingTexts(value, at.path, at.scope);
    case 'template':
    case 'prompt':
      return textOf(value, kind, at);
    case 'templates':
      return entriesOf(value).flatMap(([key, inner]) => textOf(inner, 'template', { ...at, path: [...at.path, key] }));
    case 'cases':
      return (Array.isArray(value) ? value : []).flatMap((one, index) =>
        isJsonObject(one)
          ? textOf(one['when'], 'expression', { ...at, path: [...at.path, index, 'when'] }, ['bool'])
          : [],
      );
    case 'literal':
      return [];
  }
}

function textOf(
  text: Json | undefined,
  kind: ExpressionText['kind'],
  at: At,
  gives: ExpressionText['gives'] = null,
): ExpressionText[] {
  return typeof text === 'string' ? [{ text, kind, ...at, gives }] : [];
}

/** The expressions in the leaves of a mapping. */
export function mappingTexts(
  value: Json | undefined,
  path: At['path'],
  scope: ExpressionText['scope'],
): ExpressionText[] {
  if (typeof value === 'string') return textOf(value, 'expression', { path, scope });
  return entriesOf(value).flatMap(([key, inner]) => mappingTexts(inner, [...path, key], scope));
}

const entriesOf = (value: Json | undefined): [string, Json][] => (isJsonObject(value) ? Object.entries(value) : []);
