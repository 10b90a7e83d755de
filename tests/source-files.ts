import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Node, parseSync } from '@swc/core';

export const ROOT = join(import.meta.dirname, '..');
const IGNORED = new Set(['node_modules', 'coverage', 'dist']);

export type Import = { specifier: string; typeOnly: boolean };
export type SourceFile = {
  /** From the root, with `/`. */
  path: string;
  text: string;
  nodes: readonly SyntaxNode[];
  imports: readonly Import[];
};
export type SyntaxNode = Node & Record<string, unknown>;

/** Every .ts and .mjs file of the repository, parsed. */
export function readSourceFiles(folder = '.'): SourceFile[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || IGNORED.has(entry.name)) return [];
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return readSourceFiles(path);
    return /\.(ts|mjs)$/.test(entry.name) ? [parseSource(path, readFileSync(join(ROOT, path), 'utf8'))] : [];
  });
}

export function parseSource(path: string, text: string): SourceFile {
  const syntax = path.endsWith('.ts') ? 'typescript' : 'ecmascript';
  const nodes = [...walk(parseSync(text, { syntax, target: 'es2024' }))];
  return { path, text, nodes, imports: nodes.flatMap(importOf) };
}

function* walk(value: unknown): Generator<SyntaxNode> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && typeof value.type === 'string') yield value as SyntaxNode;
  for (const part of Object.values(value)) yield* walk(part);
}

/** Static imports, re-exports, `import('...')` as a call and as a type. */
function importOf(node: SyntaxNode): Import[] {
  const source = node['source'] as { value: string } | null | undefined;
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      if (!source) return [];
      const specifiers = (node['specifiers'] as { isTypeOnly?: boolean }[] | undefined) ?? [];
      const typeOnly =
        node['typeOnly'] === true || (specifiers.length > 0 && specifiers.every((one) => one.isTypeOnly));
      return [{ specifier: source.value, typeOnly }];
    }
    case 'TsImportType':
      return [{ specifier: (node['argument'] as { value: string }).value, typeOnly: true }];
    case 'CallExpression': {
      if ((node['callee'] as Node).type !== 'Import') return [];
      const [argument] = node['arguments'] as { expression: { type: string; value?: unknown } }[];
      return typeof argument?.expression.value === 'string'
        ? [{ specifier: argument.expression.value, typeOnly: false }]
        : [];
    }
    default:
      return [];
  }
}
