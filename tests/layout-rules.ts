import { posix } from 'node:path';
import { FREE_FOLDERS, IMPORT_TABLE, type ImportRow } from './import-table.ts';
import type { Import, SourceFile, SyntaxNode } from './source-files.ts';

/** Each rule gives a line for every violation. */
export type LayoutRule = (file: SourceFile) => string[];

const TOOL_CONFIGS = new Set([
  'jest.config.ts',
  'tests/start-servers.ts',
  'tests/stop-servers.ts',
  'tests/count-reporter.mjs',
]);
const BARRELS = new Set(['workflows/catalogue.ts', 'sdk/src/index.ts']);
/** gateway/create-gateway.ts writes a switch that @apollo/gateway reads there. */
const ENVIRONMENT_READERS = /^(config\/load\.ts|gateway\/create-gateway\.ts|cli\/[\w-]+\.mjs|(tests|bench)\/.*)$/;
const FORBIDDEN_WORDS = new Set(['utils', 'util', 'common', 'shared', 'core', 'manager', 'helper', 'helpers']);
const LONGEST_FILE = 400;

const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isFree = (path: string): boolean => FREE_FOLDERS.some((folder) => path.startsWith(`${folder}/`));

export const importsFollowTheTable: LayoutRule = ({ path, imports }) => {
  if (isTest(path) || isFree(path) || TOOL_CONFIGS.has(path)) return [];
  const place = placeOf(path);
  if (place === null) return [`${path}: its folder is not in the import table`];
  return imports.flatMap((one) => {
    const fault = one.specifier.startsWith('.') ? folderFault(path, place, one) : packageFault(path, place, one);
    return fault === null ? [] : [`${path}: imports ${one.specifier}, but ${fault}`];
  });
};

type Place = { folder: string; row: ImportRow };

/** The row of the longest folder that the file is in. */
function placeOf(path: string): Place | null {
  const [folder] = Object.keys(IMPORT_TABLE)
    .filter((name) => path.startsWith(`${name}/`))
    .sort((left, right) => right.length - left.length);
  return folder === undefined ? null : { folder, row: IMPORT_TABLE[folder] as ImportRow };
}

function folderFault(path: string, { folder, row }: Place, { specifier, typeOnly }: Import): string | null {
  const target = posix.join(posix.dirname(path), specifier);
  const [top = ''] = target.split('/');
  if (top === folder.split('/')[0] || row.values.some((one) => target.startsWith(`${one}/`))) return null;
  if (!row.types.includes(top)) return `${folder} may not import ${top}`;
  return typeOnly ? null : `${folder} may import types of ${top} alone`;
}

function packageFault(path: string, { folder, row }: Place, { specifier }: Import): string | null {
  if (specifier.startsWith('node:')) return row.builtins ? null : `${folder} may not import Node's modules`;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const inside = path.slice(folder.length + 1);
  const [subfolder = '.'] = Object.keys(row.packages).filter((one) => inside.startsWith(`${one}/`));
  return row.packages[subfolder]?.includes(name) ? null : `${posix.join(folder, subfolder)} may not import ${name}`;
}

export const onlyTheLoaderReadsTheEnvironment: LayoutRule = ({ path, nodes, imports }) => {
  if (isTest(path) || ENVIRONMENT_READERS.test(path)) return [];
  const reads = nodes.some((node) => isMember(node, 'process', 'env'));
  const imported = imports.some(({ specifier }) => specifier === 'node:process' || specifier === 'process');
  return reads || imported ? [`${path}: reads process.env`] : [];
};

export const nothingIsExportedByDefault: LayoutRule = ({ path, nodes }) =>
  !TOOL_CONFIGS.has(path) && nodes.some((node) => node.type.startsWith('ExportDefault'))
    ? [`${path}: has a default export`]
    : [];

export const thereAreNoBarrels: LayoutRule = ({ path, nodes }) => {
  if (BARRELS.has(path)) return [];
  if (nodes.some((node) => node.type === 'ExportAllDeclaration')) return [`${path}: has an export *`];
  const [module] = nodes;
  const items = (module?.['body'] as SyntaxNode[] | undefined) ?? [];
  const reexports = items.filter((item) => item.type === 'ExportNamedDeclaration' && item['source']);
  return items.length > 0 && reexports.length === items.length ? [`${path}: only exports what others have`] : [];
};

export const filesAreShort: LayoutRule = ({ path, text }) => {
  const lines = text.trimEnd().split('\n').length;
  return lines > LONGEST_FILE ? [`${path}: has ${lines} lines`] : [];
};

export const namesAreKebabCase: LayoutRule = ({ path }) =>
  path.split('/').flatMap((part) => {
    const name = part.replace(/\.(ts|mjs)$/, '').replace(/\.(test|int\.test|e2e\.test|config|types)$/, '');
    return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}: ${part} is not kebab-case`];
  });

export const namesSayWhatIsInside: LayoutRule = ({ path }) => {
  const words = path.split(/[/.-]/).filter((word) => FORBIDDEN_WORDS.has(word));
  // `start-services` says what it does; `services` does not.
  const names = path.split(/[/.]/).filter((name) => name === 'services');
  return [...words, ...names].map((word) => `${path}: ${word} says nothing`);
};

export const ourModulesAreNotMocked: LayoutRule = ({ path, nodes }) =>
  ['mock', 'doMock', 'unstable_mockModule'].flatMap((method) =>
    nodes.some((node) => isMember(node, 'jest', method)) ? [`${path}: calls jest.${method}`] : [],
  );

export const bareErrorsAreNotThrown: LayoutRule = ({ path, nodes }) => {
  if (isTest(path) || !/^(domain|activities|api|adapters)\//.test(path)) return [];
  const thrown = nodes.filter((node) => {
    const argument = node['argument'] as SyntaxNode | undefined;
    const callee = argument?.['callee'] as SyntaxNode | undefined;
    return node.type === 'ThrowStatement' && argument?.type === 'NewExpression' && callee?.['value'] === 'Error';
  });
  return thrown.map(() => `${path}: throws a bare Error`);
};

function isMember(node: SyntaxNode, object: string, property: string): boolean {
  if (node.type !== 'MemberExpression') return false;
  const target = node['object'] as SyntaxNode;
  const member = node['property'] as SyntaxNode;
  const name = member.type === 'Computed' ? (member['expression'] as SyntaxNode)['value'] : member['value'];
  return target.type === 'Identifier' && target['value'] === object && name === property;
}
