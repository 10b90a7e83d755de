import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { checkScenario } from '../domain/authoring/check-scenario.ts';
import { explainDefinition } from '../domain/authoring/explain-definition.ts';
import { readScenarioFile } from '../domain/authoring/read-scenario.ts';
import { runScript } from '../domain/authoring/scenario.ts';
import type { ContentAnalysis } from '../domain/content/content-analysis.ts';
import type { Json } from '../domain/json.ts';
import { compileDefinition } from '../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { simulate, type SimulatedResult } from '../domain/runs/simulate.ts';
import { validateDefinition } from '../domain/runs/validate.ts';
import { ROOT } from './source-files.ts';

const FOLDER = join(ROOT, 'samples/workflows');
const TESTS = join(ROOT, 'samples/tests');
const FILES = readdirSync(FOLDER).filter((name) => /\.(json|yaml)$/.test(name));
// YAML 1.2 reads JSON too.
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8')) as WorkflowDefinition;
const named = (file: string) => file.replace(/\.\w+$/, '');
const scenarios = readdirSync(TESTS).flatMap((file) => {
  const { workflow, scenarios: all } = readScenarioFile(parse(readFileSync(join(TESTS, file), 'utf8')) as Json);
  return all.map((scenario) => [named(file), scenario.name, basename(workflow), scenario] as const);
});

describe('every sample', () => {
  it.each(FILES)('has no problems and is named like its file: %s', (name) => {
    expect(validateDefinition(read(name))).toEqual([]);
    expect(read(name).name).toBe(named(name));
  });

  it('says what it is for and has tests of its own', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(6);
    expect([...new Set(scenarios.map(([file]) => file))].sort()).toEqual(FILES.map(named).sort());
    for (const name of FILES) expect(read(name).description?.length).toBeGreaterThan(50);
  });

  it.each(scenarios)('%s: %s', (_file, _name, workflow, { script, expected }) => {
    expect(checkScenario(runScript(compileDefinition(read(workflow)), script), expected)).toEqual([]);
  });

  it.each(FILES)('has a forecast: %s', (name) => {
    const { atMost, nodes } = explainDefinition(read(name));
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual(
      read(name)
        .nodes.filter(({ type }) => type !== 'note')
        .map(({ id }) => id),
    );
    expect(atMost.events).toBeGreaterThan(5);
  });
});

describe('research-brief', () => {
  const compiled = compileDefinition(read('research-brief.json'));
  const analysis: ContentAnalysis = {
    title: 'Opticks',
    language: 'en',
    words: 2000,
    sentences: 80,
    readingTimeMs: 522_000,
    keywords: [{ text: 'light', score: 1 }],
    concepts: [
      { name: 'rays of light', relevance: 1, mentions: 9, related: [] },
      { name: 'bodies', relevance: 0.5, mentions: 4, related: [] },
    ],
    sentiment: { label: 'neutral', score: 0 },
    readability: { fleschReadingEase: 60, fleschKincaidGrade: 12.34 },
    difficulty: 'ADVANCED',
    summary: ['Bodies act upon light.', 'Light acts upon bodies.'],
  };
  const condensed = { text: 'A condensed text.', provider: 'p', model: 'm', finishReason: 'stop', usage: null };

  function play(input: { [name: string]: Json }, results: Record<string, SimulatedResult | null>) {
    const known: Record<string, SimulatedResult | null> = {
      analyze: { output: analysis as unknown as Json },
      digest: { output: condensed },
      ...results,
    };
    const { state, stuck } = simulate(compiled, { input, results: (id) => known[id] ?? null });
    expect(stuck).toBe(false);
    const statuses = Object.fromEntries(state.nodes.map((node) => [node.id, node.status]));
    const { brief } = (state.output ?? {}) as { brief?: string };
    return { state, statuses, brief };
  }
  const input = { title: 'Opticks', document: 'Light ...' };

  it('writes no more facts than the analysis has, as for a language it cannot judge', () => {
    const foreign = { ...analysis, language: 'de', sentiment: null, readability: null, difficulty: null };
    const { state, brief } = play(input, { analyze: { output: foreign as unknown as Json } });
    expect(state.status).toBe('COMPLETED');
    expect(brief).toMatch(/2000 words, about 9 minutes to read\.$/m);
  });

  it('condenses a long document by the model', () => {
    const { state, statuses, brief } = play({ ...input, source: 'Newton, 1730' }, {});
    expect(state.status).toBe('COMPLETED');
    expect(statuses).toMatchObject({ digest: 'COMPLETED', excerpt: 'SKIPPED', signOff: 'SKIPPED', brief: 'COMPLETED' });
    expect(brief).toBe(
      '# Opticks\n\nA condensed text.\n\n## Main concepts\n- rays of light\n- bodies\n\n## Key sentences\n> Bodies act upon light.\n' +
        '> Light acts upon bodies.\n\n## Facts\n2000 words, about 9 minutes to read; advanced (Flesch-Kincaid grade 12.3); tone: neutral.\n\n' +
        'Source: Newton, 1730\n',
    );
  });

  it('takes the key sentences of a short one', () => {
    const { statuses, brief } = play(input, { analyze: { output: { ...analysis, words: 900 } as unknown as Json } });
    expect(statuses).toMatchObject({ digest: 'SKIPPED', excerpt: 'COMPLETED' });
    expect(brief).toContain('Bodies act upon light. Light acts upon bodies.');
    expect(brief).not.toContain('Source:');
  });

  it('waits for a named reviewer, and writes no brief that was rejected', () => {
    const reviewed = { ...input, reviewer: 'ada' };
    expect(play(reviewed, { signOff: { decision: 'APPROVED' } }).statuses).toMatchObject({ brief: 'COMPLETED' });
    const { state, statuses } = play(reviewed, { signOff: { decision: 'REJECTED' } });
    expect(statuses).toMatchObject({ signOff: 'COMPLETED', brief: 'SKIPPED' });
    expect(state).toMatchObject({ status: 'COMPLETED', output: { brief: null } });
    expect(play(reviewed, {}).state).toMatchObject({
      status: 'FAILED',
      error: { code: 'APPROVAL_TIMED_OUT', nodeId: 'signOff' },
    });
  });
});
