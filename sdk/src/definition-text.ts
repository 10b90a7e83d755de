import { type Document, isNode, isPair, LineCounter, parseDocument, stringify, visit, type YAMLError } from 'yaml';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { DefinitionProblem, WorkflowDefinition } from '../../domain/runs/definition.ts';
import { DEFINITION_FIELDS } from '../../domain/runs/validate-shape.ts';

export type TextFormat = 'json' | 'yaml';
/** 1-based. */
export type TextPosition = { line: number; column: number };
export type TextProblem = TextPosition & { message: string };
export type PlacedProblem = DefinitionProblem & Partial<TextPosition>;

export type ParsedText = {
  /** Null where the text is not well-formed. */
  value: Json | undefined;
  problems: TextProblem[];
  /** Where the value at a JSON Pointer stands, or the nearest one around it that is there. */
  positionOf: (pointer: string) => TextPosition;
};

/**
 * A definition's text, JSON or YAML 1.2, as the JSON that it stands for; whatever has no place in JSON (tags, several documents,
 * the same key twice, .nan) is a problem.
 *
 * @example
 * ```ts
 * const { value, problems, positionOf } = parseText('name: hello\nnodes: []\nedges: []\n', 'yaml');
 * void [value, problems, positionOf('/nodes')];
 * ```
 */
export function parseText(text: string, format: TextFormat): ParsedText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, stringKeys: true });
  const at = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [
    ...(format === 'json' ? jsonProblems(text, at) : []),
    ...[...document.errors, ...document.warnings].map((error) => ({ ...at(error.pos[0]), message: messageOf(error) })),
  ];
  const positionOf = (pointer: string): TextPosition => at(offsetOf(document, partsOf(pointer)));
  if (problems.length > 0) return { value: undefined, problems: firstOfEach(problems), positionOf };
  problems.push(
    ...numbersWithoutJson(document).map((offset) => ({ ...at(offset), message: 'JSON has no such number' })),
  );
  try {
    const value = document.toJS({ maxAliasCount: 100 }) as Json;
    return { value: problems.length > 0 ? undefined : value, problems, positionOf };
  } catch (error) {
    return { value: undefined, problems: [{ ...at(0), message: (error as Error).message }], positionOf };
  }
}

/** What YAML allows and JSON does not: comments, trailing commas, single quotes. */
function jsonProblems(text: string, at: (offset: number) => TextPosition): TextProblem[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const { message } = error as Error;
    const offset = /at position (\d+)/.exec(message)?.[1];
    const position = offset === undefined ? at(text.trimEnd().length) : at(Number(offset));
    return [{ ...position, message: message.replace(/ (in JSON )?at position \d+.*$/s, '').replace(/ in JSON$/, '') }];
  }
}

const messageOf = ({ message, code }: YAMLError): string =>
  code === 'MULTIPLE_DOCS' ? 'One document is meant; there are several' : message.replace(/\s+/g, ' ');

/** JSON's own error and that of YAML name the same place; after a few, each only follows from the one before. */
const MOST_PROBLEMS = 5;

function firstOfEach(problems: readonly TextProblem[]): TextProblem[] {
  const seen = new Set<number>();
  return problems.filter(({ line }) => !seen.has(line) && seen.add(line)).slice(0, MOST_PROBLEMS);
}

function numbersWithoutJson(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Scalar: (_, { value, range }) => {
      if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
        offsets.push(range?.[0] ?? 0);
    },
  });
  return offsets;
}

/** RFC 6901, the other way. */
function partsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function offsetOf(document: Document, parts: readonly string[]): number {
  for (let length = parts.length; length > 0; length -= 1) {
    const offset = keyOffset(document, parts.slice(0, length));
    if (offset !== null) return offset;
  }
  return 0;
}

/** Of the key in an object, of the element in a list. */
function keyOffset(document: Document, parts: readonly string[]): number | null {
  const parent = parts.length === 1 ? document.contents : document.getIn(parts.slice(0, -1), true);
  const last = parts.at(-1);
  if (typeof parent !== 'object' || parent === null || !('items' in parent)) return null;
  const items = parent.items as unknown[];
  const pair = items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === last);
  const found = isPair(pair) ? pair.key : items[Number(last)];
  return isNode(found) && !isPair(found) ? (found.range?.[0] ?? null) : null;
}

/** Problems with the line and column of what they are about. */
export function placeProblems(problems: readonly DefinitionProblem[], { positionOf }: ParsedText): PlacedProblem[] {
  return problems.map((problem) => ({ ...problem, ...positionOf(problem.path) }));
}

const NODE_ORDER = ['id', 'parent', 'type', 'name', 'config'];

/**
 * A definition as text, its fields in the order in which people read them. Parsing it gives the same definition.
 *
 * @example
 * ```ts
 * const definition = workflow('hello').node('greet', 'transform', { value: '"hello"' }).build();
 * const yaml = printText(definition, 'yaml');
 * void yaml;
 * ```
 */
export function printText(definition: WorkflowDefinition, format: TextFormat): string {
  const ordered = inOrder(definition, DEFINITION_FIELDS);
  const nodes = isJsonObject(ordered) && Array.isArray(ordered['nodes']) ? ordered['nodes'] : null;
  if (nodes !== null) (ordered as { nodes: Json[] }).nodes = nodes.map((node) => inOrder(node, NODE_ORDER));
  if (format === 'json') return `${JSON.stringify(ordered, null, 2)}\n`;
  return stringify(ordered, { lineWidth: 0, blockQuote: 'literal', aliasDuplicateObjects: false });
}

function inOrder(value: Json, names: readonly string[]): Json {
  if (!isJsonObject(value)) return value;
  const known = names.filter((name) => value[name] !== undefined);
  const others = Object.keys(value).filter((name) => !names.includes(name) && value[name] !== undefined);
  return Object.fromEntries([...known, ...others].map((name) => [name, value[name] as Json]));
}
