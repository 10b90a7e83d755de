import { describe, expect, it } from '@jest/globals';
import { compileDefinition } from '../runs/compile.ts';
import { simulate } from '../runs/simulate.ts';
import { validateDefinition } from '../runs/validate.ts';
import type { JsonObject } from '../json.ts';
import { agentDefinition } from './agent-definition.ts';
import { NOTHING_SPENT } from './agent.ts';

const FETCH = { name: 'page', node: { type: 'http', config: { url: 'https://example.org/{{encode item.input.of}}' } } };
const TOOLS = [
  { mcp: { server: 'search' }, approval: 'when', when: '!item.readOnly' },
  { ...FETCH, approval: 'always', approvalTimeoutMs: 1_000 },
  { workflow: 'invoice' },
  { name: 'writer', agent: { system: 'You write.', models: ['openai'] } },
];
const INPUT = { prompt: 'What is new?', system: '', messages: [], values: {} };

const turn = (fields: JsonObject): JsonObject => ({
  added: [],
  text: '',
  object: null,
  calls: [],
  stop: '',
  spent: { ...NOTHING_SPENT, turns: 1 },
  startedAt: 1,
  tokens: 10,
  ...fields,
});
const call = (fields: JsonObject): JsonObject => ({
  id: 'c1',
  name: 'page',
  input: { of: 'news' },
  rule: 0,
  server: null,
  tool: null,
  readOnly: false,
  refusal: null,
  ...fields,
});

describe('the workflow of an agent', () => {
  it.each([
    ['with tools of all kinds', {}],
    ['that fails at limits', { onLimit: 'fail', limits: { turns: 3, microUsd: 5, ms: 1_000 } }],
    ['that is a chat', { chat: { idleMs: 1_000 } }],
    ['without tools', { tools: [] }],
  ])('%s has no problems', (_, fields) => {
    expect(validateDefinition(agentDefinition('a', { prompt: 'x', tools: TOOLS, ...fields }))).toEqual([]);
  });

  it('asks the model until it calls nothing more, and hands on the results', () => {
    const compiled = compileDefinition(agentDefinition('a', { tools: [FETCH] }));
    const turns = [
      turn({ added: [{ role: 'assistant', content: 'one' }], calls: [call({})] }),
      turn({
        added: [{ role: 'assistant', content: 'two' }],
        text: 'It rains.',
        spent: { ...NOTHING_SPENT, turns: 2 },
      }),
    ];
    const { state } = simulate(compiled, {
      input: INPUT,
      results: (id) => (id === 'turn' ? { output: turns.shift() as JsonObject } : { output: { body: 'rain' } }),
    });
    expect(state.error).toBeNull();
    expect(state.output).toMatchObject({
      text: 'It rains.',
      finish: 'done',
      turns: 2,
      messages: [
        { role: 'user', content: 'What is new?' },
        { role: 'assistant', content: 'one' },
        { role: 'assistant', content: 'two' },
      ],
    });
  });
});
