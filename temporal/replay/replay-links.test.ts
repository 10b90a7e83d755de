import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { loadSettings } from '../../config/load.ts';
import { historyOf, readCorpus, type Recording } from '../../tests/replay/corpus.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { createDataConverter } from '../data-converter.ts';
import { historyFromJson, historyToJson } from '../history-json.ts';
import { createHistoryDecoder } from '../history-payloads.ts';
import { type RecordedPayloads, recordedPayloads } from './recorded-payloads.ts';
import { quietReplay, type ReplayedLink, replayLinks } from './replay-links.ts';

const quiet = new DefaultLogger('ERROR', () => undefined);
const corpus = new Map(readCorpus(2).map((recording) => [recording.workflowId, recording]));
/** As the bundle has the one place where a node's timer starts. */
const SLEEP = '(0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.sleep)(durationMs, {';
let code = '';

beforeAll(async () => {
  quietReplay();
  code = await bundleWorkflows(quiet);
}, 120_000);

/** With the code as it is, or with a part of it changed; histories go through their JSON. */
async function replay(
  names: readonly string[],
  change?: { from: string; to: string },
  payloads?: RecordedPayloads,
): Promise<ReplayedLink[]> {
  const recordings = names.map((name) => corpus.get(`replay-${name}`) as Recording);
  const store = recordedPayloads(
    payloads ?? Object.assign({}, ...recordings.map((recording) => recording.payloads)),
    null,
  );
  const definitions = new Map(recordings.flatMap((recording) => Object.entries(recording.definitions ?? {})));
  if (change) expect(code).toContain(change.from);
  const options = {
    workflowBundle: { code: change ? code.replace(change.from, () => change.to) : code },
    dataConverter: createDataConverter(loadSettings({}), store, {
      definitions: (hash) => Promise.resolve(definitions.get(hash)),
    }),
    decode: createHistoryDecoder(loadSettings({}), store),
  };
  const links = recordings.flatMap((recording) =>
    recording.links.map(({ workflowId, history }) => ({
      workflowId,
      history: historyFromJson(JSON.parse(JSON.stringify(historyToJson(historyOf(history))))),
    })),
  );
  const results: ReplayedLink[] = [];
  for await (const result of replayLinks(options, links)) results.push(result);
  return results;
}

describe('replay', () => {
  it('goes link by link through runs that continued as new, and through their child runs', async () => {
    const results = await replay(['continued-as-new', 'subworkflow', 'inline']);
    expect(results.map(({ divergence }) => divergence)).toEqual(results.map(() => null));
    const links = results.filter(({ workflowId }) => workflowId === 'replay-continued-as-new');
    expect(links.map(({ link }) => link)).toEqual(links.map((_, index) => index + 1));
    expect(new Set(links.map(({ temporalRunId }) => temporalRunId)).size).toBe(links.length);
    expect(links.length).toBeGreaterThan(1);
    expect(results.every(({ workflowType, events }) => workflowType === 'run' && events > 2)).toBe(true);
  }, 60_000);

  it('names the node and both commands where the code asks for an activity under another id', async () => {
    const [result] = await replay(['parallel-calls'], {
      from: '`${node}#${iteration}`',
      to: '`${node}#9${iteration}`',
    });
    expect(result?.divergence).toMatchObject({
      nondeterminism: true,
      event: { type: 'ACTIVITY_TASK_SCHEDULED' },
      expected: { kind: 'activity', iteration: '1' },
      actual: { kind: 'activity', iteration: '91' },
    });
    expect(result?.divergence?.nodeId).toBe(result?.divergence?.expected?.nodeId);
    expect(result?.divergence?.message).toContain('does not match');
  }, 60_000);

  it('says that nothing was asked for where the code has lost a timer', async () => {
    const [result] = await replay(['inline'], { from: SLEEP, to: 'Promise.resolve(durationMs, {' });
    expect(result?.divergence).toMatchObject({
      nondeterminism: true,
      nodeId: 'nap',
      event: { type: 'TIMER_STARTED' },
      expected: { kind: 'timer', nodeId: 'nap', iteration: '1' },
    });
  }, 60_000);

  it('tells a history that cannot be read from one that differs', async () => {
    const [result] = await replay(['inline'], undefined, {});
    expect(result?.divergence).toMatchObject({ nondeterminism: false, event: null, expected: null, actual: null });
    expect(result?.divergence?.message).toContain('Payload');
  }, 60_000);
});
