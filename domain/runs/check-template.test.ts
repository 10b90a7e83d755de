import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkTemplate, templateReferences } from './check-template.ts';

describe('checkTemplate', () => {
  it('gives the paths that are read from the root, from inside of blocks too', () => {
    const template =
      '{{input.a}}{{#each nodes.list.output}}{{this.x}}{{y}}{{../input.b}}{{@root.run.workflow}}{{@index}}{{/each}}' +
      '{{#if input.c}}{{input.d}}{{else}}{{input.e}}{{/if}}{{join nodes.words.output ", "}}';
    expect(checkTemplate(template).paths).toEqual(
      [
        ['nodes', 'list', 'output'],
        ['input', 'b'],
        ['run', 'workflow'],
        ['input', 'c'],
        ['input', 'd'],
        ['input', 'e'],
        ['nodes', 'words', 'output'],
      ].toSpliced(0, 0, ['input', 'a']),
    );
    expect(checkTemplate(template).problems).toEqual([]);
    expect(templateReferences(template)).toEqual(['list', 'words']);
  });

  it('does not take the names of a block for paths', () => {
    expect(checkTemplate('{{#each input.l as |item at|}}{{item.x}}{{at}}{{/each}}').paths).toEqual([['input', 'l']]);
    expect(checkTemplate('{{#with input.o}}{{a}}{{else}}{{input.b}}{{/with}}').paths).toEqual([
      ['input', 'o'],
      ['input', 'b'],
    ]);
  });

  it('reports syntax, unknown helpers, partials and decorators with their places', () => {
    expect(checkTemplate('a\n{{#if x}}').problems).toMatchObject([{ line: 2 }]);
    expect(checkTemplate('a\n {{shout x}}').problems).toMatchObject([
      { message: expect.stringContaining('shout'), line: 2, column: 2 },
    ]);
    expect(checkTemplate('{{#shout x}}{{/shout}}').problems).toHaveLength(1);
    expect(checkTemplate('{{uppercase (shout x)}}').problems).toHaveLength(1);
    expect(checkTemplate('{{> part}}').problems).toMatchObject([{ message: expect.stringContaining('partials') }]);
    expect(checkTemplate('{{#> part}}{{/part}}').problems).toHaveLength(1);
    expect(checkTemplate('{{* decorate}}').problems).toHaveLength(1);
    expect(checkTemplate('{{len}}').problems).toMatchObject([{ message: expect.stringContaining('this.len') }]);
  });

  it('bounds length, depth and number of tags', () => {
    const blocks = (depth: number) => '{{#if input}}'.repeat(depth) + '{{/if}}'.repeat(depth);
    expect(checkTemplate(blocks(10)).problems).toEqual([]);
    expect(checkTemplate(blocks(25)).problems).toMatchObject([{ message: 'blocks are nested deeper than 10' }]);
    expect(checkTemplate('{{input}}'.repeat(2_001)).problems).toMatchObject([{ message: 'more than 2000 tags' }]);
    expect(checkTemplate('x'.repeat(100_001)).problems).toMatchObject([{ message: 'longer than 100000 characters' }]);
  });

  it('answers without throwing whatever text it is given', () => {
    const token = fc.constantFrom(
      '{{',
      '}}',
      '{{{',
      '}}}',
      '#if ',
      '/if',
      '#each ',
      'else',
      'input.a',
      'this',
      '../',
      '@root.',
      'as |x|',
      '"',
      '(',
      ')',
      '[',
      '!--',
      '--',
      '~',
      '>',
      '*',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token).map((tokens) => tokens.join('')),
        ),
        (template) => {
          const { paths, problems } = checkTemplate(template);
          expect(Array.isArray(paths) && Array.isArray(problems)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
