import type { Json } from '../../domain/json.ts';

declare const type: unique symbol;
const PATH = Symbol('path');
type Path = readonly (string | number)[];

/** A value of the run, known by its path alone while the definition is written. */
export type Reference<Type> = { readonly [type]?: Type; readonly [PATH]: Path };

/**
 * A reference whose fields are references too. What JSON of unknown shape holds is not checked.
 *
 * @example
 * ```ts
 * const definition = workflow('lengths')
 *   .input({ type: 'object', required: ['text'], properties: { text: { type: 'string' } } })
 *   .node('analyze', 'content.analyze', ({ input }) => ({ text: input.text }))
 *   .node('words', 'transform', ({ nodes }) => ({ value: nodes.analyze.words }))
 *   .edge('analyze', 'words')
 *   .build();
 * ```
 */
export type Ref<Type> = Reference<Type> & FieldsOf<NonNullable<Type>>;

/** An index signature of anything else would give `undefined` too. */
type Unchecked = { readonly [name: string]: any };
type FirstIndices = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
/** Schemas that allow other fields have an index signature beside the fields they name. */
type Named<Key> = string extends Key ? never : number extends Key ? never : Key;

type FieldsOf<Type> = [Type] extends [never]
  ? unknown
  : [Json] extends [Type | null]
    ? Unchecked
    : Type extends readonly (infer Element)[]
      ? { readonly [Index in FirstIndices]: Ref<Element> }
      : Type extends object
        ? [keyof { [Name in keyof Type as Named<Name>]: 1 }] extends [never]
          ? Unchecked
          : { readonly [Name in keyof Type as Named<Name>]-?: Ref<Type[Name]> }
        : unknown;

export function ref<Type>(path: Path): Ref<Type> {
  return new Proxy({ [PATH]: path } as unknown as Ref<Type>, {
    get: (_, name) => (name === PATH ? path : typeof name === 'symbol' ? refuse(name, path) : ref([...path, name])),
    has: (_, name) => name === PATH,
  });
}

/** JavaScript would turn it into a text or a number, which it is not yet. */
function refuse(name: symbol, path: Path): undefined {
  if (name !== Symbol.toPrimitive) return undefined;
  throw new TypeError(`${celPath(path)} has no value yet; write it inside of cel\`...\` or text\`...\``);
}

export function pathOf(value: unknown): Path | undefined {
  return typeof value === 'object' && value !== null && PATH in value ? (value as { [PATH]: Path })[PATH] : undefined;
}

const CEL_WORDS = new Set(['in', 'true', 'false', 'null']);

export function celPath([root, ...rest]: Path): string {
  return rest.reduce<string>((path, part) => {
    if (/^\d+$/.test(String(part))) return `${path}[${part}]`;
    const plain = /^[A-Za-z_]\w*$/.test(String(part)) && !CEL_WORDS.has(String(part));
    return plain ? `${path}.${part}` : `${path}[${JSON.stringify(part)}]`;
  }, String(root));
}

export function handlebarsPath(path: Path): string {
  return path.map((part) => (/^[A-Za-z_]\w*$/.test(String(part)) ? part : `[${part}]`)).join('.');
}
