import { AppError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { Happening } from '../runs/run-event.ts';
import type { SimulatedResult } from '../runs/simulate.ts';
import type { Expectation } from './check-scenario.ts';
import { parseDuration } from './duration.ts';
import type { Script, ScriptedResults, Step } from './scenario.ts';

export type Scenario = { name: string; script: Script; expected: Expectation };
export type ScenarioFile = {
  /** Path of the definition, from the file. */
  workflow: string;
  scenarios: Scenario[];
};

const FIELDS = ['name', 'given', 'when', 'then'];

/** A file of tests: `workflow`, and `tests` of given, when and then. @throws INPUT_INVALID that names the place */
export function readScenarioFile(value: Json): ScenarioFile {
  const file = object(value, 'the file');
  only(file, ['workflow', 'tests'], 'the file');
  const tests = file['tests'];
  if (typeof file['workflow'] !== 'string') throw invalid('workflow must be the path of a definition');
  if (!Array.isArray(tests) || tests.length === 0) throw invalid('tests must be a list of at least one test');
  return { workflow: file['workflow'], scenarios: tests.map((test, index) => readScenario(test, `tests/${index}`)) };
}

function readScenario(value: Json, at: string): Scenario {
  const test = object(value, at);
  only(test, FIELDS, at);
  if (typeof test['name'] !== 'string') throw invalid(`${at}/name must be a sentence`);
  if (test['then'] === undefined) throw invalid(`${at} expects nothing: add then`);
  const given = test['given'] === undefined ? {} : object(test['given'], `${at}/given`);
  only(given, ['input', 'results', 'startAt'], `${at}/given`);
  const steps = test['when'] === undefined ? [] : readSteps(test['when'], `${at}/when`);
  const script = {
    input: given['input'] ?? {},
    results: readResults(given['results'] ?? {}, `${at}/given/results`),
    steps,
    startAt: readMoment(given['startAt'], `${at}/given/startAt`),
  };
  return { name: test['name'], script, expected: readExpectation(test['then'], `${at}/then`) };
}

function readMoment(value: Json | undefined, at: string): number {
  if (value === undefined) return 0;
  const moment = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof moment !== 'number' || !Number.isFinite(moment))
    throw invalid(`${at} must be a time such as 2026-01-01T00:00:00Z`);
  return moment;
}

/** Results by node, as `given.results` and the file of `weft simulate` have them. */
export function readResults(value: Json, at: string): ScriptedResults {
  const entries = Object.entries(object(value, at)).map(([node, result]) => {
    const place = `${at}/${node}`;
    const scripted = Array.isArray(result)
      ? result.map((one, index) => readResult(one, `${place}/${index}`))
      : readResult(result, place);
    return [node, scripted] as const;
  });
  return Object.fromEntries(entries);
}

function readResult(value: Json, at: string): SimulatedResult {
  const result = object(value, at);
  only(result, ['output', 'error', 'decision', 'event', 'comment', 'data', 'by', 'after'], at);
  const durationMs = result['after'] === undefined ? 0 : parseDuration(result['after']);
  if (durationMs === null) throw invalid(`${at}/after must be a duration such as 5s or 1h30m`);
  if (result['error'] !== undefined) {
    const error =
      typeof result['error'] === 'string' ? { code: result['error'] } : object(result['error'], `${at}/error`);
    const { code, message } = error as { code?: Json; message?: Json };
    if (typeof code !== 'string') throw invalid(`${at}/error needs a code, such as HTTP_STATUS`);
    return { error: { code, message: typeof message === 'string' ? message : code, hint: null }, durationMs };
  }
  if (result['decision'] !== undefined) {
    const decision = String(result['decision']).toUpperCase();
    if (decision !== 'APPROVED' && decision !== 'REJECTED') throw invalid(`${at}/decision is approved or rejected`);
    const { comment, data, by } = result;
    return {
      decision,
      ...(typeof comment === 'string' ? { comment } : {}),
      ...(data === undefined ? {} : { data }),
      ...(typeof by === 'string' ? { decidedBy: by } : {}),
      durationMs,
    };
  }
  if (result['event'] !== undefined) return { event: result['event'], durationMs };
  if (result['output'] === undefined) throw invalid(`${at} needs an output, an error, a decision or an event`);
  return { output: result['output'], durationMs };
}

const VERBS = [
  'approve',
  'reject',
  'event',
  'webhook',
  'cancel',
  'terminate',
  'pause',
  'resume',
  'set',
  'retry',
  'skip',
] as const;
const DETAILS = ['at', 'by', 'comment', 'data', 'iteration', 'correlation', 'id', 'output'];

/** What people and other systems do, and when. */
export function readSteps(value: Json, at: string): Step[] {
  if (!Array.isArray(value)) throw invalid(`${at} must be a list`);
  return value.map((one, index) => {
    const place = `${at}/${index}`;
    const step = object(one, place);
    only(step, [...VERBS, ...DETAILS], place);
    const verbs = VERBS.filter((verb) => Object.hasOwn(step, verb));
    const [verb] = verbs;
    if (verb === undefined || verbs.length > 1) throw invalid(`${place} must do one of ${VERBS.join(', ')}`);
    const afterMs = parseDuration(step['at'] ?? 0);
    if (afterMs === null) throw invalid(`${place}/at must be a duration since the start, such as 5s or 1h30m`);
    return { afterMs, event: happeningOf(verb, step, index) };
  });
}

function happeningOf(verb: (typeof VERBS)[number], step: JsonObject, index: number): Happening {
  const target = step[verb];
  const text = (name: string): string | null => (typeof step[name] === 'string' ? step[name] : null);
  const ref = { nodeId: String(target), iteration: String(step['iteration'] ?? '1') } as never as {
    nodeId: never;
    iteration: string;
  };
  const by = text('by');
  switch (verb) {
    case 'approve':
    case 'reject': {
      const decision = verb === 'approve' ? 'APPROVED' : 'REJECTED';
      return {
        type: 'approval.decided',
        ...ref,
        decision,
        comment: text('comment'),
        data: step['data'] ?? null,
        decidedBy: by,
      };
    }
    case 'event':
      return {
        type: 'event.received',
        id: text('id') ?? `step-${index}`,
        name: String(target),
        correlation: step['correlation'] === undefined ? null : String(step['correlation']),
        data: step['data'] ?? null,
      };
    case 'webhook':
      return { type: 'webhook.received', ...ref, data: step['data'] ?? null };
    case 'cancel':
    case 'terminate':
      return {
        type: verb === 'cancel' ? 'run.cancel_requested' : 'run.terminated',
        reason: typeof target === 'string' ? target : null,
      };
    case 'pause':
      return { type: 'run.paused', reason: typeof target === 'string' ? target : null, by };
    case 'resume':
      return { type: 'run.resumed', by };
    case 'set': {
      const [[name, value] = ['', null]] = Object.entries(isJsonObject(target) ? target : {});
      return { type: 'variable.set', name, value, by };
    }
    case 'retry':
      return { type: 'node.retry_requested', ...ref, by };
    case 'skip':
      return { type: 'node.skip_requested', ...ref, output: step['output'] ?? null, by };
  }
}

const EXPECTED = ['status', 'output', 'outputHas', 'error', 'nodes', 'calls', 'order', 'refused', 'duration'];

function readExpectation(value: Json, at: string): Expectation {
  const then = object(value, at);
  only(then, EXPECTED, at);
  if (Object.keys(then).length === 0) throw invalid(`${at} expects nothing`);
  const { duration, ...rest } = then;
  if (duration === undefined) return rest;
  const durationMs = parseDuration(duration);
  if (durationMs === null) throw invalid(`${at}/duration must be a duration such as 5s`);
  return { ...(rest as Expectation), durationMs };
}

function object(value: Json | undefined, at: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(`${at} must be an object`);
}

function only(value: JsonObject, known: readonly string[], at: string): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`${at} has no ${unknown}; known are ${known.join(', ')}`);
}

const invalid = (detail: string): AppError => new AppError('INPUT_INVALID', { detail });
