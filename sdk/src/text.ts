import { handlebarsPath, pathOf, type Reference } from './reference.ts';

/**
 * A Handlebars template around references: each becomes `{{path}}`, or `path` inside of an open tag.
 *
 * @example
 * ```ts
 * workflow('note')
 *   .input({ type: 'object', required: ['title', 'tags'], properties: { title: { type: 'string' }, tags: { type: 'array' } } })
 *   .node('note', 'template', ({ input }) => ({ template: text`# ${input.title}\n{{#each ${input.tags}}}- {{this}}\n{{/each}}` }))
 *   .output(({ nodes }) => nodes.note)
 *   .build();
 * ```
 */
export function text(strings: TemplateStringsArray, ...parts: (Reference<unknown> | string | number)[]): string {
  return strings.reduce((before, string, index) => `${before}${printPart(before, parts[index - 1])}${string}`);
}

function printPart(before: string, part: Reference<unknown> | string | number | undefined): string {
  const path = pathOf(part);
  if (path === undefined) return String(part);
  const inTag = before.lastIndexOf('{{') > before.lastIndexOf('}}');
  return inTag ? handlebarsPath(path) : `{{${handlebarsPath(path)}}}`;
}
