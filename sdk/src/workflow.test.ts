import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { DefinitionProblem } from '../../domain/runs/definition.ts';
import { researchBrief } from '../../samples/workflows/research-brief.ts';
import { cel, text, workflow } from './index.ts';

const SAMPLES = join(import.meta.dirname, '../../samples/workflows');

function problemsOf(build: () => unknown): DefinitionProblem[] {
  try {
    build();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'DEFINITION_INVALID' });
    return (error as AppError).fields['problems'] as DefinitionProblem[];
  }
}

describe('the builder', () => {
  it('makes the same JSON as the definition written by hand', () => {
    const byHand: unknown = JSON.parse(readFileSync(join(SAMPLES, 'research-brief.json'), 'utf8'));
    expect(canonicalJson(researchBrief())).toBe(canonicalJson(byHand));
  });

  it('keeps everything that a definition may have', () => {
    const definition = workflow('everything')
      .describe('All of it')
      .input({ type: 'object', required: ['n'], properties: { n: { type: 'integer' } } })
      .node(
        'call',
        'http',
        ({ input }) => ({ url: 'https://example.org/', headers: { 'x-n': text`${input.n}` }, body: { n: input.n } }),
        {
          name: 'Call',
          retry: { maximumAttempts: 3 },
          timeouts: { startToCloseMs: 1000 },
          taskQueue: 'runs',
        },
      )
      .node('pause', 'delay', ({ input }) => ({ durationMs: input.n }))
      .edge('call', 'pause')
      .output(({ nodes, states, run }) => ({ status: states.call.status, got: nodes.call.body, name: run.workflow }))
      .policies({ onNodeFailure: 'cancel', runTimeoutMs: 5000 })
      .metadata({ x: 1 })
      .build();
    expect(definition).toEqual({
      name: 'everything',
      description: 'All of it',
      input: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
      nodes: [
        {
          id: 'call',
          type: 'http',
          name: 'Call',
          config: { url: 'https://example.org/', headers: { 'x-n': '{{input.n}}' }, body: { n: 'input.n' } },
          retry: { maximumAttempts: 3 },
          timeouts: { startToCloseMs: 1000 },
          taskQueue: 'runs',
        },
        { id: 'pause', type: 'delay', config: { durationMs: 'input.n' } },
      ],
      edges: [{ from: 'call', to: 'pause' }],
      output: { status: 'nodes.call.status', got: 'nodes.call.output.body', name: 'run.workflow' },
      policies: { onNodeFailure: 'cancel', runTimeoutMs: 5000 },
      metadata: { x: 1 },
    });
  });

  it('throws all problems at once', () => {
    const problems = problemsOf(() =>
      workflow('Bad Name')
        .node('first', 'transform', { value: '1 +' })
        .node('second', 'transform', ({ nodes }) => ({ value: nodes.first }))
        .build(),
    );
    expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'NAME_INVALID /name',
      'EXPRESSION_INVALID /nodes/0/config/value',
      'REFERENCE_NOT_BEFORE /nodes/1/config/value',
    ]);
  });

  it('can be continued in two ways from the same place', () => {
    const start = workflow('start').node('a', 'transform', { value: '1' });
    start.node('b', 'transform', { value: '2' });
    expect(start.build().nodes.map((node) => node.id)).toEqual(['a']);
  });

  it('leaves unknown config for the validation to name', () => {
    const config = { value: '1', constructor: '2' } as { value: string };
    const problems = problemsOf(() => workflow('x').node('a', 'transform', config).build());
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_UNKNOWN']);
  });
});

describe('references', () => {
  it('print as paths, whatever the names are', () => {
    const definition = workflow('paths')
      .input({
        type: 'object',
        properties: { 'a b': {}, in: {}, list: { type: 'array' }, _x1: {} },
        additionalProperties: true,
      })
      .node('paths', 'transform', ({ input }) => ({
        value: { quoted: input['a b'], word: input.in, index: cel`${input.list}[0]`, plain: input._x1 },
      }))
      .node('text', 'template', ({ input }) => ({ template: text`${input['a b']}` }))
      .build();
    expect(definition.nodes[0]?.config).toEqual({
      value: { quoted: 'input["a b"]', word: 'input["in"]', index: 'input.list[0]', plain: 'input._x1' },
    });
    expect(definition.nodes[1]?.config).toEqual({ template: '{{input.[a b]}}' });
  });

  it('have no value while the definition is written, and say so', () => {
    const misuse = () => workflow('x').node('a', 'transform', ({ input }) => ({ value: `${String(input)} + 1` }));
    expect(misuse).toThrow('input has no value yet');
  });
});

describe('cel', () => {
  const valueOf = (build: (input: { n: never }) => unknown): unknown =>
    workflow('x')
      .input({ type: 'object', properties: { n: { type: 'number' } } })
      .node('a', 'transform', ({ input }) => ({ value: build(input as never) as string }))
      .build().nodes[0]?.config?.['value'];

  it('prints references as paths, expressions in parentheses and everything else as literals', () => {
    expect(valueOf(({ n }) => cel`${n} in ${[1, 2.5, 'a "quoted" text', true, null]}`)).toBe(
      'input.n in [1, 2.5, "a \\"quoted\\" text", true, null]',
    );
    expect(valueOf(({ n }) => cel`${cel`${n} + 1`} * 2`)).toBe('(input.n + 1) * 2');
  });

  it('cannot be led out of its literal', () => {
    expect(valueOf(() => cel`${'" + nodes.secret.output + "'} + ""`)).toBe('"\\" + nodes.secret.output + \\"" + ""');
  });

  it('refuses numbers that CEL cannot write', () => {
    expect(() => cel`${Number.NaN}`).toThrow('NaN has no CEL literal');
  });
});

describe('text', () => {
  it('prints references as tags, and as paths inside of an open tag', () => {
    const definition = workflow('x')
      .input({ type: 'object', properties: { list: { type: 'array' }, title: { type: 'string' } } })
      .node('a', 'template', ({ input }) => ({
        template: text`${input.title}: {{#each ${input.list}}}${'- '}{{this}}{{/each}} ${3}`,
      }))
      .build();
    expect(definition.nodes[0]?.config).toEqual({
      template: '{{input.title}}: {{#each input.list}}- {{this}}{{/each}} 3',
    });
  });
});
