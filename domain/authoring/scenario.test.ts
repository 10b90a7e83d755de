import { describe, expect, it } from '@jest/globals';
import type { Json } from '../json.ts';
import { compileDefinition } from '../runs/compile.ts';
import type { WorkflowDefinition } from '../runs/definition.ts';
import { checkScenario } from './check-scenario.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { readScenarioFile } from './read-scenario.ts';
import { runScript } from './scenario.ts';
import { describeTimeline, timelineOf } from './timeline.ts';

const DEFINITION: WorkflowDefinition = {
  name: 'x',
  variables: { note: '' },
  nodes: [
    {
      id: 'call',
      type: 'http',
      config: { url: 'https://example.org/{{input.id}}' },
      undo: { type: 'http', config: { url: 'https://example.org/undo' } },
    },
    { id: 'ask', type: 'approval', config: { title: 'Sure?', assignees: '["ada"]' } },
    {
      id: 'heard',
      type: 'wait',
      config: { event: 'paid', correlation: 'input.id', onTimeout: 'route', timeoutMs: 60_000 },
    },
  ],
  edges: [
    { from: 'call', to: 'ask' },
    { from: 'ask', to: 'heard', port: 'approved' },
  ],
  output: { note: 'vars.note', paid: 'nodes.heard.output.data' },
};
/** As `then: ...` in a file, of which linters would think that it is a promise. */
const expecting = (expected: Json): { [name: string]: Json } =>
  JSON.parse(`{"then": ${JSON.stringify(expected)}}`) as { [name: string]: Json };
const COMPILED = compileDefinition(DEFINITION);

function failuresOf(test: { [name: string]: Json }): string[] {
  const file = { workflow: 'x', tests: [{ name: 'a test', ...test }] };
  const [scenario] = readScenarioFile(file).scenarios;
  if (scenario === undefined) return ['no scenario'];
  return checkScenario(runScript(COMPILED, scenario.script), scenario.expected);
}
const expects = (then: Json, more: { [name: string]: Json } = {}) =>
  failuresOf({
    given: { input: { id: '7' }, results: { call: { output: { status: 200 }, after: '1s' } } },
    when: [
      { at: '5s', approve: 'ask', by: 'ada' },
      { at: '6s', set: { note: 'hello' }, by: 'ada' },
      { at: '7s', event: 'paid', correlation: '7', data: { amount: 3 } },
    ],
    ...more,
    ...expecting(then),
  });

describe('a test of a workflow', () => {
  it('passes when everything is as expected', () => {
    expect(
      expects({
        status: 'COMPLETED',
        output: { note: 'hello', paid: { amount: 3 } },
        nodes: {
          call: 'COMPLETED',
          ask: { output: { decidedBy: 'ada' }, port: 'approved' },
          'heard#1': { port: 'received' },
        },
        calls: { call: [{ url: 'https://example.org/7' }], 'call.undo': 0 },
        order: ['call'],
        duration: '7s',
      }),
    ).toEqual([]);
  });

  it.each([
    [{ status: 'FAILED' }, 'status: expected "FAILED", got "COMPLETED"'],
    [{ output: { note: 'hello' } }, 'output: expected {"note":"hello"}, got {"note":"hello","paid":{"amount":3}}'],
    [
      { outputHas: { paid: { amount: 4 } } },
      'output: expected {"paid":{"amount":4}}, got {"note":"hello","paid":{"amount":3}}',
    ],
    [{ error: 'HTTP_STATUS' }, 'error: expected {"code":"HTTP_STATUS"}, got null'],
    [{ nodes: { call: 'SKIPPED' } }, 'node call: expected "SKIPPED", got "COMPLETED"'],
    [{ nodes: { nobody: 'SKIPPED' } }, 'node nobody: expected "SKIPPED", got "no such execution"'],
    [{ nodes: { ask: { port: 'rejected' } } }, 'node ask: expected {"port":"rejected"}, got {"port":"approved"}'],
    [{ calls: { call: 2 } }, 'calls of call: expected 2, got 1'],
    [
      { calls: { call: [{ url: 'https://example.org/8' }] } },
      'calls of call: expected [{"url":"https://example.org/8"}], got [{"url":"https://example.org/7"}]',
    ],
    [{ order: ['call', 'call.undo'] }, 'order: expected call, call.undo, got call'],
    [{ refused: ['NOT_WAITING'] }, 'refused steps: expected ["NOT_WAITING"], got []'],
    [{ duration: '8s' }, 'duration: expected 8s, got 7s'],
  ] satisfies [Json, string][])('fails when it is not: %j', (then, failure) =>
    expect(expects(then)).toEqual([failure]),
  );

  it('fails when a step is refused that nobody expects to be', () => {
    const when = [{ at: '5s', approve: 'ask', by: 'bob' }];
    expect(expects({ status: 'WAITING' }, { when })).toEqual([
      'refused steps: expected [], got ["NOT_ASSIGNEE: bob may not answer node ask"]',
    ]);
    expect(expects({ status: 'WAITING', refused: ['NOT_ASSIGNEE'] }, { when })).toEqual([]);
  });

  it('names the nodes for which it has no result', () => {
    expect(expects({ status: 'COMPLETED' }, { given: { input: { id: '7' } }, when: [] })).toEqual([
      'status: expected "COMPLETED", got "RUNNING"',
      'the run waits for results of call: add them to given.results',
    ]);
  });

  it('can cancel, after which what was done is undone', () => {
    const when = [{ at: '2s', cancel: 'no more' }];
    expect(expects({ status: 'CANCELLED', order: ['call', 'call.undo'] }, { when })).toEqual([]);
  });

  it.each([
    [{ workflow: 'x', tests: [] }, 'tests must be a list'],
    [{ workflow: 'x', tests: [{ name: 'a' }] }, 'tests/0 expects nothing'],
    [{ workflow: 'x', tests: [{ name: 'a', ...expecting({}) }] }, 'tests/0/then expects nothing'],
    [{ workflow: 'x', tests: [{ name: 'a', ...expecting({ stauts: 'X' }) }] }, 'tests/0/then has no stauts'],
    [
      { workflow: 'x', tests: [{ name: 'a', given: { results: { call: {} } }, ...expecting({ status: 'X' }) }] },
      'tests/0/given/results/call needs an output',
    ],
    [
      { workflow: 'x', tests: [{ name: 'a', when: [{ at: 'soon', cancel: true }], ...expecting({ status: 'X' }) }] },
      'tests/0/when/0/at must be a duration',
    ],
    [
      { workflow: 'x', tests: [{ name: 'a', when: [{ approve: 'a', reject: 'a' }], ...expecting({ status: 'X' }) }] },
      'tests/0/when/0 must do one of',
    ],
  ])('that is not one says where: %j', (file, message) =>
    expect(() => readScenarioFile(file as Json)).toThrow(message),
  );
});

describe('the timeline of a run', () => {
  it('has every change, inline nodes too, at its own time', () => {
    const run = runScript(COMPILED, {
      input: { id: '7' },
      startAt: 0,
      results: {
        call: { output: null, durationMs: 1_500 },
        ask: { decision: 'REJECTED', decidedBy: 'ada', durationMs: 3_600_000 },
      },
      steps: [],
    });
    const lines = describeTimeline(timelineOf(COMPILED, run.events)).map((line) => line.trim().replaceAll(/ +/g, ' '));
    expect(lines).toEqual([
      '0 run RUNNING',
      '0 call RUNNING',
      '1s500ms call COMPLETED',
      '1s500ms ask WAITING',
      '1s500ms run WAITING',
      '1h1s500ms ask COMPLETED by rejected',
      '1h1s500ms heard SKIPPED',
      '1h1s500ms run RUNNING',
      '1h1s500ms call.undo RUNNING',
      '1h1s500ms run COMPENSATING',
      '1h1s500ms call.undo COMPLETED',
      '1h1s500ms run RUNNING',
      expect.stringMatching(/^1h1s500ms run FAILED \(OUTPUT_INVALID: .*No such key: data\)$/),
    ]);
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['1h30m', 5_400_000],
    [90, 90],
    ['1.5s', 1_500],
    ['2d', 172_800_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each(['soon', '5', '-1s', '1x', '', null, -1, Number.NaN])('are not %j', (text) =>
    expect(parseDuration(text)).toBeNull(),
  );
  it('print as they are read', () => {
    for (const text of ['250ms', '1h30m', '2d', '1d2h3m4s5ms'])
      expect(formatDuration(parseDuration(text) ?? 0)).toBe(text);
    expect(formatDuration(0)).toBe('0');
  });
});
