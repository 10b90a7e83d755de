import { describe, expect, it } from '@jest/globals';
import type { AppError } from '../errors.ts';
import { KNOWN_HELPERS, renderTemplate } from './template.ts';

function failureOf(template: string, context: object): string | undefined {
  try {
    renderTemplate(template, context);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'TEMPLATE_FAILED' });
    return String((error as AppError).fields['detail']);
  }
}

describe('a template', () => {
  it('prints values as they are, without HTML escaping', () => {
    expect(
      renderTemplate('{{a}} {{{b}}} {{c}}{{d}}{{list.[0]}} {{list.length}}', {
        a: '<b>&"',
        b: '<i>',
        c: 0,
        d: false,
        list: [7],
      }),
    ).toBe('<b>&" <i> 0false7 1');
    expect(renderTemplate('[{{nothing}}]', { nothing: null })).toBe('[]');
  });

  it('fails on a name that is not there, at any depth', () => {
    expect(failureOf('{{a}}', {})).toBe('"a" is not there');
    expect(failureOf('{{a.b}}', { a: {} })).toBe('"b" is not there');
    expect(failureOf('{{a.b.c}}', { a: { b: null } })).toBe('"c" is not there');
    expect(failureOf('{{#each list}}{{this.x}}{{/each}}', { list: [{ y: 1 }] })).toBe('"x" is not there');
    expect(failureOf('{{join a.b}}', { a: {} })).toBeDefined();
  });

  it('lets {{#if}} ask for a name that may be absent', () => {
    expect(renderTemplate('{{#if a.b}}{{a.b}}{{else}}none{{/if}}', { a: {} })).toBe('none');
  });

  it('never reaches prototypes', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(failureOf(`{{a.${name}}}`, { a: {} })).toBe(`"${name}" is not there`);
      expect(renderTemplate(`{{lookup a "${name}"}}`, { a: {} })).toBe('');
      expect(renderTemplate(`{{#with a}}{{#if ${name}}}reached{{/if}}{{/with}}`, { a: { x: 1 } })).toBe('');
    }
    expect(renderTemplate('{{a.constructor}}', { a: JSON.parse('{"constructor": 1}') as object })).toBe('1');
  });

  it('refuses to print objects and lists, which have no one text', () => {
    expect(failureOf('{{a}}', { a: { b: 1 } })).toMatch(/object; use json/);
    expect(failureOf('{{#each l}}{{this}}{{/each}}', { l: [[1]] })).toMatch(/list; use join/);
  });

  it('walks lists and objects with their context', () => {
    expect(
      renderTemplate('{{#each l}}{{@index}}{{this.n}}{{../sep}}{{@root.sep}}{{else}}none{{/each}}', {
        l: [{ n: 'a' }, { n: 'b' }],
        sep: ';',
      }),
    ).toBe('0a;;1b;;');
    expect(renderTemplate('{{#each l}}x{{else}}none{{/each}}', { l: [] })).toBe('none');
    expect(renderTemplate('{{#each o}}{{@key}}={{this}} {{/each}}', { o: { a: 1, b: 2 } })).toBe('a=1 b=2 ');
    expect(renderTemplate('{{#each l as |item i|}}{{i}}{{item.n}}{{/each}}', { l: [{ n: 'a' }], item: 'outer' })).toBe(
      '0a',
    );
    expect(renderTemplate('{{#with o}}{{a}}{{../b}}{{/with}}{{#unless b}}no{{/unless}}', { o: { a: 1 }, b: 2 })).toBe(
      '12',
    );
  });

  it('has these helpers', () => {
    const context = { s: 'aBc', l: ['x', 'y'], n: 2.345, o: { k: 1 }, none: null };
    const cases: [string, string][] = [
      ['{{json o}}', '{\n  "k": 1\n}'],
      ['{{uppercase s}}{{lowercase s}}{{capitalize "abc"}}', 'ABCabcAbc'],
      ['{{#if (eq s "aBc")}}y{{/if}}{{#if (ne s "aBc")}}n{{/if}}', 'y'],
      ['{{#if (gt n 2)}}y{{/if}}{{#if (lt n 2)}}n{{/if}}', 'y'],
      ['{{len s}}{{len l}}{{len none}}', '320'],
      ['{{#if (contains l "x")}}y{{/if}}{{#if (contains s "z")}}n{{/if}}', 'y'],
      ['{{join l}}|{{join l "-"}}', 'x, y|x-y'],
      ['{{encode "a b&c"}}', 'a%20b%26c'],
      ['{{fixed n}} {{fixed n 1}} {{add n 1}}', '2 2.3 3.345'],
      ['{{lookup l 1}}', 'y'],
    ];
    for (const [template, expected] of cases) expect(renderTemplate(template, context)).toBe(expected);
    const used = new Set(
      cases.flatMap(([template]) => [...template.matchAll(/[{(#]([a-z]+) /g)].map((match) => match[1])),
    );
    expect([...KNOWN_HELPERS].filter((name) => !used.has(name)).sort()).toEqual(['each', 'unless', 'with']);
  });

  it('fails when a helper gets what it cannot take', () => {
    expect(failureOf('{{fixed a 1}}', { a: 'x' })).toBeDefined();
    expect(failureOf('{{contains a "x"}}', { a: null })).toBeDefined();
    expect(failureOf('{{#each a}}{{> partial}}{{/each}}', { a: [1] })).toMatch(/partial/i);
    expect(failureOf('{{log a}}', { a: 1 })).toBeDefined();
  });

  it('ends, however often it repeats and whatever it prints', () => {
    const l = Array.from({ length: 1_000 }, () => 'x'.repeat(10_000));
    const repeated = /more than 100000 repetitions/;
    expect(failureOf('{{#each l}}{{#each @root.l}}x{{/each}}{{/each}}', { l })).toMatch(repeated);
    expect(failureOf('{{#l}}{{#@root.l}}x{{/@root.l}}{{/l}}', { l })).toMatch(repeated);
    expect(failureOf('{{#each l}}{{json @root.l}}{{/each}}', { l })).toMatch(repeated);
    expect(failureOf('{{#each l}}{{join @root.l}}{{/each}}', { l })).toMatch(repeated);
    expect(failureOf('{{#each l}}{{this}}{{/each}}', { l })).toMatch(/exceeds 4000000 characters/);
  });
});
