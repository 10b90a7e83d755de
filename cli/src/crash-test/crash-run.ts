import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, JsonObject } from '../../../sdk/src/index.ts';
import type { CrashSite } from './crash-site.ts';
import { type CrashPoint, type PointCounts, pointCounter } from './crash-point.ts';
import type { CrashWorkers } from './crash-workers.ts';
import { giveAnswers, type ScriptedAnswers } from './scripted-answers.ts';
import type { StubCall } from './stub-server.ts';

export type CrashRun = {
  runId: string;
  point: CrashPoint | null;
  /** Whether the point came by; the last event of the history at that moment. */
  crashedAfter: { id: number; type: string } | null;
  counts: PointCounts;
  status: string;
  output: Json;
  error: Json;
  calls: readonly StubCall[];
  effects: readonly { nodeId: string; iteration: string; attempt: number; state: string }[];
  ms: number;
};

type RunView = Pick<CrashRun, 'status' | 'output' | 'error' | 'effects'>;

const RUN = `query ($id: ID!) { run(id: $id) { status output error { code message nodeId }
  effects { nodeId iteration attempt state } } }`;
const CLOSED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];
const POLL_MS = 50;
/** An activity task that calls nobody is given this much of its work before the worker dies. */
const INTO_ACTIVITY_MS = 30;

export type CrashRunOptions = {
  site: CrashSite;
  workers: CrashWorkers;
  workflowId: string;
  input: Json;
  answers: ScriptedAnswers;
  point: CrashPoint | null;
  limitMs: number;
};

/** One run, with the worker killed at `point` and another put in its place. */
export async function crashRun(options: CrashRunOptions): Promise<CrashRun> {
  const { site, workers, workflowId, input, answers, point, limitMs } = options;
  const begun = performance.now();
  const watch = watchFor(point, site, workers);
  const started = await site.ask<{ executeWorkflow: { id: string } }>(
    'mutation ($workflowId: ID!, $input: JSON) { executeWorkflow(workflowId: $workflowId, input: $input) { id } }',
    { workflowId, input },
  );
  const runId = started.executeWorkflow.id;
  let crashedAfter: CrashRun['crashedAfter'] = null;
  const replaceWhenDue = async () => {
    if (crashedAfter !== null || !watch.isDue()) return;
    crashedAfter = await site.lastEvent(runId);
    await workers.kill();
    watch.letPass();
    await workers.replace();
  };
  const answer = answersTo(site, runId, answers);
  for (const until = begun + limitMs; ; await sleep(POLL_MS)) {
    await replaceWhenDue();
    const { run } = await site.ask<{ run: RunView }>(RUN, { id: runId });
    const closed = CLOSED.includes(run.status);
    if (closed || performance.now() > until) {
      await replaceWhenDue();
      const status = closed ? run.status : `${run.status} after ${Math.round(limitMs / 1000)} s`;
      const { counts } = watch;
      const calls = [...site.stub.calls, ...(await emittedBy(site, runId))];
      return { runId, point, crashedAfter, counts, ...run, status, calls, ms: performance.now() - begun };
    }
    answer();
  }
}

/** An answer may have to wait for the worker that is about to be replaced, so nobody waits for it. */
function answersTo(site: CrashSite, runId: string, answers: ScriptedAnswers): () => void {
  const given = new Set<string>();
  let busy = false;
  return () => {
    if (busy) return;
    busy = true;
    giveAnswers(site, runId, answers, given)
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  };
}

/** Events are effects as well; their ids are made like keys. */
async function emittedBy({ ask }: CrashSite, runId: string): Promise<StubCall[]> {
  const { emittedEvents } = await ask<{ emittedEvents: { id: string; name: string; run: { id: string } | null }[] }>(
    '{ emittedEvents(first: 100) { id name run { id } } }',
  );
  return emittedEvents
    .filter(({ run }) => run?.id === runId)
    .map(({ id, name }) => ({ method: 'EMIT', path: name, key: id, body: '' }));
}

/** Lets everything pass until the point is reached, and then nothing. */
function watchFor(point: CrashPoint | null, { stub }: CrashSite, workers: CrashWorkers) {
  const { counts, reached } = pointCounter(point);
  let silenced = false;
  let due = false;
  const meets = (kind: CrashPoint['kind']): boolean => {
    if (!reached(kind)) return false;
    silenced = true;
    due = kind !== 'activity';
    if (!due) setTimeout(() => (due = true), INTO_ACTIVITY_MS);
    return true;
  };
  workers.watch({
    beforeReport: () => Promise.resolve(!silenced && !meets('report')),
    afterAnswer: ({ method, task }) => {
      if (silenced || meets('event')) return Promise.resolve(false);
      if (task && method.startsWith('PollActivity')) meets('activity');
      return Promise.resolve(true);
    },
  });
  stub.forget();
  stub.onCall = () => Promise.resolve(!silenced && !meets('call'));
  return {
    counts,
    isDue: () => due,
    letPass: () => {
      silenced = false;
    },
  };
}

/** An output without what is different in every run: its id. */
export function withoutRunId(value: Json, runId: string): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(runId, '<run>')) as JsonObject;
}
