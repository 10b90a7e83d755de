import { describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from './definition.ts';
import { completionsAt } from './expression-types-complete.ts';

const DEFINITION: WorkflowDefinition = {
  name: 'x',
  input: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      'odd name': { type: 'number' },
      tags: {
        type: 'array',
        items: { type: 'object', properties: { label: { type: 'string' }, weight: { type: 'number' } } },
      },
    },
  },
  variables: { count: 0 },
  nodes: [
    { id: 'call', type: 'http', config: { url: 'https://example.org' } },
    { id: 'later', type: 'transform', config: { value: '1' } },
    { id: 'here', type: 'transform', config: { value: { a: '' } } },
    { id: 'text', type: 'template', config: { template: '' } },
    {
      id: 'ask',
      type: 'model.complete',
      config: { prompt: '', values: { page: 'nodes.call.output', who: 'input.name' } },
    },
    { id: 'each', type: 'map', config: { items: 'input.tags', result: { x: '' } } },
    { id: 'inner', parent: 'each', type: 'transform', config: { value: '' } },
    { id: 'last', parent: 'each', type: 'transform', config: { value: '' } },
  ],
  edges: [
    { from: 'call', to: 'here' },
    { from: 'here', to: 'later' },
    { from: 'call', to: 'text' },
    { from: 'call', to: 'ask' },
    { from: 'call', to: 'each' },
    { from: 'inner', to: 'last' },
  ],
  output: { total: '' },
};

/** The definition with the text in the place, and the cursor where `|` stands. */
function at(nodeId: string | null, field: string, text: string): string[] {
  const definition = structuredClone(DEFINITION);
  const parts = field.split('/').slice(1);
  const target = nodeId === null ? definition : definition.nodes.find((node) => node.id === nodeId);
  const holder = parts.slice(0, -1).reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], target);
  (holder as Record<string, unknown>)[parts.at(-1) as string] = text.replace('|', '');
  return completionsAt(definition, nodeId, field, text.indexOf('|')).map(({ label }) => label);
}
const inHere = (text: string) => at('here', '/config/value/a', text);

describe('completions of an expression', () => {
  it('begin with what there is to read', () => {
    expect(inHere('|')).toEqual(expect.arrayContaining(['input', 'vars', 'run', 'nodes', 'size', 'has']));
    expect(inHere('|')).not.toContain('item');
    expect(inHere('in|')).toEqual(['input', 'int']);
  });

  it('follow the types of the input, of variables and of nodes before', () => {
    expect(inHere('input.|')).toEqual(expect.arrayContaining(['name', 'tags', 'odd name']));
    expect(inHere('1 + vars.c|')).toEqual(['count']);
    expect(inHere('nodes.|')).toEqual(['call']);
    expect(inHere('nodes.call.|')).toEqual(expect.arrayContaining(['output', 'status', 'port', 'error']));
    expect(inHere('nodes.call.output.s|')).toEqual(['status']);
    expect(inHere('input.tags[0].l|')).toEqual(['label']);
    expect(inHere('input.tags.filter(t, t.weight > 1)[0].we|')).toEqual(['weight']);
  });

  it('know the variables of comprehensions that are open', () => {
    expect(inHere('input.tags.map(tag, tag.|')).toEqual(expect.arrayContaining(['label', 'weight']));
    expect(inHere('input.tags.map(tag, ta|')).toEqual(['tag']);
    expect(inHere('input.tags.map(tag, tag.label) == ta|')).toEqual([]);
  });

  it('offer the methods of the type alone', () => {
    expect(inHere('input.name.st|')).toEqual(['startsWith']);
    expect(inHere('input.tags.m|')).toEqual(['map']);
    expect(inHere('nodes.call.output.status.|')).toEqual([]);
  });

  it('replace the dot where a name needs brackets, and are none inside of a text', () => {
    const definition = structuredClone(DEFINITION);
    definition.output = { total: 'input.odd' };
    expect(completionsAt(definition, null, '/output/total', 9)).toEqual([
      { label: 'odd name', kind: 'field', detail: 'number', insert: '["odd name"]', from: 5 },
    ]);
    expect(inHere('"input.|')).toEqual([]);
  });

  it('know what the body of a container may read', () => {
    expect(at('inner', '/config/value', 'item.|')).toEqual(expect.arrayContaining(['label', 'weight']));
    expect(at('last', '/config/value', 'nodes.|')).toEqual(['call', 'inner']);
    expect(at('each', '/config/result/x', 'ind|')).toEqual(['index']);
    expect(at('each', '/config/result/x', 'nodes.|')).toEqual(['call', 'inner', 'last']);
    expect(at(null, '/output/total', 'nodes.i|')).toEqual([]);
  });
});

describe('completions of a template', () => {
  it('are there inside of tags alone', () => {
    const inText = (text: string) => at('text', '/config/template', text);
    expect(inText('Dear |')).toEqual([]);
    expect(inText('Dear {{in|')).toEqual(['input', 'index'].filter((name) => name === 'input'));
    expect(inText('{{nodes.call.output.st|')).toEqual(['status']);
    expect(inText('{{upper|')).toEqual(['uppercase']);
    expect(inText('{{#each input.t|')).toEqual(['tags']);
    expect(inText('{{input.name}} |')).toEqual([]);
  });

  it('of a prompt are its own values', () => {
    const inPrompt = (text: string) => at('ask', '/config/prompt', text);
    expect(inPrompt('{{p|')).toEqual(['page']);
    expect(inPrompt('{{page.u|')).toEqual(['url']);
    expect(inPrompt('{{inp|')).toEqual([]);
  });
});
