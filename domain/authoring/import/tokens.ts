import { AppError } from '../../errors.ts';

export type Token = { kind: 'name' | 'number' | 'string' | 'sign' | 'end'; text: string };

export const cannot = (what: string): AppError => new AppError('MAPPING_INVALID', { detail: what });

/** Names (with `$`), numbers, strings and signs; the longest sign that fits counts. */
export function tokenize(source: string, signs: readonly string[]): Token[] {
  const longest = signs.toSorted((left, right) => right.length - left.length);
  const tokens: Token[] = [];
  for (let at = 0; at < source.length;) {
    const rest = source.slice(at);
    const space = /^\s+/.exec(rest);
    if (space) {
      at += space[0].length;
      continue;
    }
    const token = readToken(rest, longest);
    if (token === null) throw cannot(`${rest.slice(0, 20)} is not understood`);
    tokens.push(token.token);
    at += token.length;
  }
  return [...tokens, { kind: 'end', text: '' }];
}

function readToken(rest: string, signs: readonly string[]): { token: Token; length: number } | null {
  const number = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(rest);
  if (number) return { token: { kind: 'number', text: number[0] }, length: number[0].length };
  const name = /^[A-Za-z_$][\w$]*/.exec(rest);
  if (name) return { token: { kind: 'name', text: name[0] }, length: name[0].length };
  const quoted = /^(?:"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)')/.exec(rest);
  if (quoted)
    return { token: { kind: 'string', text: unescape(quoted[1] ?? quoted[2] ?? '') }, length: quoted[0].length };
  const sign = signs.find((one) => rest.startsWith(one));
  return sign === undefined ? null : { token: { kind: 'sign', text: sign }, length: sign.length };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescape(text: string): string {
  return text.replaceAll(/\\u([0-9a-fA-F]{4})|\\([^(])/g, (_, code?: string, letter?: string) =>
    code === undefined
      ? (ESCAPES[letter as string] ?? (letter as string))
      : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

export type Cursor = {
  peek: () => Token;
  next: () => Token;
  /** Takes the sign or word when it is there. */
  take: (text: string) => boolean;
  expect: (text: string) => void;
};

export function cursorOf(tokens: readonly Token[]): Cursor {
  let position = 0;
  const peek = (): Token => tokens[Math.min(position, tokens.length - 1)] as Token;
  const next = (): Token => {
    const token = peek();
    position += 1;
    return token;
  };
  const take = (text: string): boolean => {
    const found = peek().kind !== 'string' && peek().text === text;
    if (found) position += 1;
    return found;
  };
  const expect = (text: string): void => {
    if (!take(text)) throw cannot(`${text} is missing before ${peek().text || 'the end'}`);
  };
  return { peek, next, take, expect };
}

/** A field of a CEL expression. */
export function member(target: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name)
    ? `${target}.${name}`
    : `${target}[${JSON.stringify(name)}]`;
}
const RESERVED = new Set(
  'in true false null as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** The Handlebars path of a CEL expression that only follows names; null for any other. */
export function templatePath(cel: string): string | null {
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\["[^"\\\]]*"\]|\[\d+\])*$/.test(cel)) return null;
  return cel.replaceAll(/\["([^"]*)"\]/g, '.[$1]').replaceAll(/\[(\d+)\]/g, '.$1');
}
