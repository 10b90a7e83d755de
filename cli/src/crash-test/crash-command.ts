import type { JsonObject, WorkflowDefinition } from '../../../sdk/src/index.ts';
import { isJsonObject } from '../../../sdk/src/index.ts';
import { readValidDefinition, readValueFile } from '../definition-file.ts';
import { UsageError } from '../usage-error.ts';
import { allPoints, choosePoints, type CrashPoint } from './crash-point.ts';
import { crashRun } from './crash-run.ts';
import { type CrashSite, openCrashSite } from './crash-site.ts';
import { type CrashResult, judgeCrashRun } from './crash-verdict.ts';
import { type CrashWorkers, startCrashWorkers } from './crash-workers.ts';
import { prepareDefinition, prepareInput } from './prepare-definition.ts';
import { crashTable, pointText } from './print-crashes.ts';
import type { ScriptedAnswers } from './scripted-answers.ts';

export type CrashTestOptions = {
  input?: string;
  answers?: string;
  /** Other workflows that this one starts. */
  with?: string[];
  boundaries: string;
  json?: boolean;
};

const FIRST_RUN_LIMIT_MS = 120_000;
/** What recovery may add to a run: timeouts of tasks that died, with room for a busy machine. */
const RECOVERY_MS = 60_000;

/** `weft crash-test`: gives the exit code, 0 when the result is the same and no effect is doubled wherever the worker dies. */
export async function runCrashTest(file: string, options: CrashTestOptions): Promise<number> {
  const limit = boundaryLimit(options.boundaries);
  const definition = await readValidDefinition(file);
  const others = await Promise.all((options.with ?? []).map(readValidDefinition));
  const script = options.answers === undefined ? {} : readValueFile(options.answers);
  if (!isJsonObject(script)) throw new UsageError('--answers must name a file with an object', null);
  const answers: ScriptedAnswers = script;
  const input = options.input === undefined ? (answers.input ?? {}) : readValueFile(options.input);
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const site = await openCrashSite(answers.http ?? {}, tell);
  let workers: CrashWorkers | null = null;
  let sound = false;
  try {
    tell('starting two workers');
    workers = await startCrashWorkers(site);
    for (const other of [...others, definition]) await publish(site, other);
    const runAt = (point: CrashPoint | null, limitMs: number) =>
      crashRun({
        ...{ site, workers: workers as CrashWorkers, workflowId: definition.name, answers, point, limitMs },
        input: prepareInput(input, site.stub.host),
      });
    const undisturbed = await runAt(null, FIRST_RUN_LIMIT_MS);
    tell(`undisturbed: ${undisturbed.status}, ${allPoints(undisturbed.counts).length} points to be killed at`);
    const results: CrashResult[] = [];
    for (const point of choosePoints(undisturbed.counts, limit)) {
      const run = await runAt(point, undisturbed.ms + RECOVERY_MS);
      const result = { run, verdict: judgeCrashRun(run, undisturbed) };
      results.push(result);
      tell(`${pointText(point)}: ${result.verdict.faults.join('; ') || 'same result, no effect twice'}`);
    }
    sound = results.every(({ verdict }) => verdict.faults.length === 0);
    const report = { workflow: definition.name, sound, undisturbed, results };
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${crashTable(report)}\n`);
    if (!sound) tell(`the logs are in ${site.logs}`);
    return sound ? 0 : 1;
  } finally {
    await workers?.close();
    await site.close({ keepLogs: !sound });
  }
}

function boundaryLimit(text: string): number {
  const limit = text === 'all' ? Infinity : Number(text);
  if (limit >= 1) return limit;
  throw new UsageError(`--boundaries must be all or a number above 0, not ${text}`, null);
}

async function publish(site: CrashSite, definition: WorkflowDefinition): Promise<void> {
  const prepared = prepareDefinition(definition, site.stub.host) as unknown as JsonObject;
  await site.ask('mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }', {
    definition: prepared,
  });
}
