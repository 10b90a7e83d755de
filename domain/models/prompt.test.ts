import { describe, expect, it } from '@jest/globals';
import { checkPrompt, type PromptContent, promptText, renderPrompt } from './prompt.ts';

const NOW = new Date('2026-03-01T09:05:07Z');
const content = (template: string, variables: PromptContent['variables'] = {}): PromptContent => ({
  ...{ template, system: null, variables },
});
const rendered = (template: string, values = {}, variables: PromptContent['variables'] = {}) => {
  checkPrompt('it', content(template, variables));
  return renderPrompt(content(template, variables), values, NOW).prompt;
};

describe('a prompt', () => {
  it('has the helpers of templates, and the present moment', () => {
    expect(rendered('{{now}}')).toBe('2026-03-01T09:05:07.000Z');
    expect(rendered('{{format_date (now)}} {{format_date (now) "%a %b %d %H:%M:%S 100%%"}}')).toBe(
      '2026-03-01 Sun Mar 01 09:05:07 100%',
    );
    expect(() => rendered('{{format_date (now) "%Q"}}')).toThrow(/not %Q/);
    expect(() => rendered('{{format_date "soon"}}')).toThrow(/no date/);
  });

  it('prints what a variable of each type holds, and nothing for one that may be missing', () => {
    const any = { x: { type: 'any', required: false } } as const;
    expect(rendered('[{{x}}]', {}, any)).toBe('[]');
    expect(rendered('[{{json x}}]', { x: { a: 1 } }, any)).toBe('[{\n  "a": 1\n}]');
    expect(() => rendered('{{x}}', { x: {} }, any)).toThrow(/use json/);
    expect(() => rendered('{{x.y}}', { x: {} }, any)).toThrow(/"y" is not there/);
  });

  it('finds no names that its values have only inherited', () => {
    const object = { x: { type: 'object' } } as const;
    expect(() => rendered('{{x.constructor}}', { x: {} }, object)).toThrow(/is not there/);
    expect(() => renderPrompt(content('{{x}}', object), { toString: 1 }, NOW)).toThrow(/no variable toString/);
  });

  it('has a text for its hash that does not depend on the order of fields', () => {
    const one = content('a', { x: { type: 'string', required: true }, y: { type: 'any' } });
    const other = content('a', { y: { type: 'any' }, x: { required: true, type: 'string' } });
    expect(promptText(one)).toBe(promptText(other));
  });
});
