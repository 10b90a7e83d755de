import {
  compileDefinition,
  describeTimeline,
  formatDuration,
  isJsonObject,
  type Json,
  readResults,
  readSteps,
  runScript,
  timelineOf,
} from '../../sdk/src/index.ts';
import { readValidDefinition, readValueFile } from './definition-file.ts';
import { inputProblems } from './input-schema.ts';
import { UsageError } from './usage-error.ts';

export type SimulateOptions = { input?: string; results?: string; json?: boolean };

/** `weft simulate`: the run that made-up results would make, under a virtual clock. Exit code 1 unless it completes. */
export async function runSimulate(file: string, options: SimulateOptions): Promise<number> {
  const definition = await readValidDefinition(file);
  const input = options.input === undefined ? {} : readValueFile(options.input);
  const problems = inputProblems(definition.input, input);
  if (problems.length > 0) throw new UsageError(problems.join('\n'), 'Give an input by --input file.');
  const { results, when } = scriptOf(options.results === undefined ? {} : readValueFile(options.results));
  const compiled = compileDefinition(definition);
  const script = { input, results: readResults(results, 'results'), steps: readSteps(when, 'when'), startAt: 0 };
  const run = runScript(compiled, script);
  const { state, calls, refusals, unanswered, stuck, durationMs } = run;
  const timeline = timelineOf(compiled, run.events);
  if (options.json) {
    const { status, output, error } = state;
    process.stdout.write(
      `${JSON.stringify({ status, output, error, durationMs, stuck, calls, refusals, unanswered, timeline })}\n`,
    );
  } else {
    process.stdout.write(`${describeTimeline(timeline).join('\n')}\n\n`);
    for (const { code, message } of refusals) process.stdout.write(`refused: ${code} ${message}\n`);
    process.stdout.write(`${state.status} after ${formatDuration(durationMs)}, ${calls.length} calls\n`);
    if (unanswered.length > 0) process.stdout.write(`no result for ${unanswered.join(', ')}: add it to --results\n`);
    if (state.output !== null) process.stdout.write(`${JSON.stringify(state.output, null, 2)}\n`);
  }
  return state.status === 'COMPLETED' ? 0 : 1;
}

/** Results by node; or {results, when}, with what happens meanwhile. */
function scriptOf(value: Json): { results: Json; when: Json } {
  if (isJsonObject(value) && (value['when'] !== undefined || isJsonObject(value['results']))) {
    return { results: value['results'] ?? {}, when: value['when'] ?? [] };
  }
  return { results: value, when: [] };
}
