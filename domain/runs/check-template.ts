import { boundedCache } from './bounded-cache.ts';
import { LIMITS } from './limits.ts';
import { handlebars, KNOWN_HELPERS } from './template.ts';

/** Ids of the nodes that a template reads. */
export const templateReferences = boundedCache(LIMITS.cachedCharacters, (template): readonly string[] => {
  const paths = checkTemplate(template).paths.filter((path) => path[0] === 'nodes' && path.length > 1);
  return [...new Set(paths.map((path) => path[1] as string))];
});

export type TemplateCheck = {
  /** Paths read from the root, such as ['nodes', 'analyze', 'output']. */
  paths: string[][];
  problems: { message: string; line: number | null; column: number | null }[];
};

/** Parses without rendering: syntax, unknown helpers, partials (there are none), depth. */
export function checkTemplate(template: string, helpers = KNOWN_HELPERS): TemplateCheck {
  if (template.length > LIMITS.templateLength) {
    return { paths: [], problems: [problem(`longer than ${LIMITS.templateLength} characters`)] };
  }
  const check: Check = { paths: [], problems: [], helpers };
  const tooMuch = excess(template);
  if (tooMuch !== null) return { paths: [], problems: [problem(tooMuch)] };
  try {
    visit(handlebars.parse(template), 0, [], check);
  } catch (error) {
    const at = /line (\d+)(?:[:,] ?(?:column )?(\d+))?/i.exec(String((error as Error).message));
    check.problems.push(problem((error as Error).message.split('\n').join(' '), at ? Number(at[1]) : null, null));
  }
  return { paths: check.paths, problems: check.problems };
}

/** Before parsing, which takes long for deep templates, as compiling does for long ones. */
function excess(template: string): string | null {
  const tags = template.matchAll(/\{\{~?(?:([#^])|(\/)|(else\b)|)/g);
  const levels = [0];
  let count = 0;
  for (const [, opening, closing, chained] of tags) {
    count += 1;
    if (opening) levels.push(1);
    else if (closing && levels.length > 1) levels.pop();
    else if (chained) levels.push((levels.pop() ?? 0) + 1);
    if (levels.reduce((sum, level) => sum + level) > LIMITS.templateDepth * 2) {
      return `blocks are nested deeper than ${LIMITS.templateDepth}`;
    }
  }
  return count > LIMITS.templateTags ? `more than ${LIMITS.templateTags} tags` : null;
}

type TemplateNode = {
  type: string;
  loc?: { start: { line: number; column: number } };
  path?: TemplateNode & { parts: string[]; depth: number; data: boolean; original: string };
  params?: TemplateNode[];
  hash?: { pairs: { value: TemplateNode }[] };
  body?: TemplateNode[];
  program?: TemplateNode & { blockParams?: string[] };
  inverse?: TemplateNode;
  parts?: string[];
  depth?: number;
  data?: boolean;
  original?: string;
};

type Check = TemplateCheck & { helpers: ReadonlySet<string> };
const WITHOUT_VALUE = 'now';

/** `scopes` counts enclosing blocks that change the context, so that only paths from the root are reported. */
function visit(node: TemplateNode, depth: number, scopes: readonly string[][], check: Check): void {
  if (depth > LIMITS.templateDepth * 2) {
    check.problems.push(at(node, `blocks are nested deeper than ${LIMITS.templateDepth}`));
    return;
  }
  switch (node.type) {
    case 'Program':
      for (const child of node.body ?? []) visit(child, depth + 1, scopes, check);
      return;
    case 'MustacheStatement':
    case 'SubExpression':
    case 'BlockStatement':
      visitCall(node, depth, scopes, check);
      return;
    case 'PathExpression':
      visitPath(node, scopes, check);
      return;
    case 'PartialStatement':
    case 'PartialBlockStatement':
    case 'Decorator':
    case 'DecoratorBlock':
      check.problems.push(at(node, 'partials and decorators are not available'));
      return;
    default:
  }
}

function visitCall(node: TemplateNode, depth: number, scopes: readonly string[][], check: Check): void {
  const name = node.path?.original ?? '';
  const called = (node.params?.length ?? 0) > 0 || (node.hash?.pairs.length ?? 0) > 0 || node.type === 'SubExpression';
  if (check.helpers.has(name)) {
    if (!node.params?.length && name !== WITHOUT_VALUE) {
      check.problems.push(
        at(node, `${name} is a helper and needs a value; write this.${name} for a value of that name`),
      );
    }
    for (const parameter of node.params ?? []) visit(parameter, depth, scopes, check);
    for (const pair of node.hash?.pairs ?? []) visit(pair.value, depth, scopes, check);
  } else if (called) {
    check.problems.push(at(node, `unknown helper ${name}; known are ${[...check.helpers].join(', ')}`));
  } else if (node.path) {
    visit(node.path, depth, scopes, check);
  }
  const inner =
    node.type === 'BlockStatement' && name !== 'if' && name !== 'unless'
      ? [...scopes, node.program?.blockParams ?? []]
      : scopes;
  if (node.program) visit(node.program, depth + 1, inner, check);
  if (node.inverse) visit(node.inverse, depth + 1, scopes, check);
}

function visitPath(node: TemplateNode, scopes: readonly string[][], check: Check): void {
  const parts = node.parts ?? [];
  if (node.data) {
    if (parts[0] === 'root') check.paths.push(parts.slice(1));
    return;
  }
  if (scopes.some((names) => names.includes(parts[0] ?? ''))) return;
  if ((node.depth ?? 0) === scopes.length && parts.length > 0) check.paths.push([...parts]);
}

const problem = (message: string, line: number | null = null, column: number | null = null) => ({
  message,
  line,
  column,
});
const at = (node: TemplateNode, message: string) =>
  problem(message, node.loc?.start.line ?? null, node.loc ? node.loc.start.column + 1 : null);
