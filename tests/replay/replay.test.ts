import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';
import { NODE_TYPES } from '../../domain/runs/node-types.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { loadSettings } from '../../config/load.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { historyOf, readCorpus, type Recording, recordedVersions, storeOf } from './corpus.ts';

let workflowBundle: WorkflowBundle;
const quiet = new DefaultLogger('ERROR', () => undefined);

beforeAll(async () => {
  Runtime.install({ logger: quiet, shutdownSignals: [] });
  workflowBundle = { code: await bundleWorkflows(quiet) };
}, 120_000);

/** Why the code as it is cannot go on from a history, by link; null where it can. */
async function replay(recordings: readonly Recording[]): Promise<{ [link: string]: string | null }> {
  const definitions = new Map(recordings.flatMap((recording) => Object.entries(recording.definitions ?? {})));
  const options = {
    workflowBundle,
    dataConverter: createDataConverter(loadSettings({}), storeOf(recordings), {
      definitions: (hash) => Promise.resolve(definitions.get(hash)),
    }),
    sinks: { hints: { progressed: { fn: () => undefined, callDuringReplay: false } } },
  };
  const faults: { [link: string]: string | null } = {};
  const byRun = Map.groupBy(
    recordings.flatMap(({ links }) => links),
    ({ workflowId }) => workflowId,
  );
  // A result is known by the workflow's id alone, so links of one run are not replayed together.
  for (let place = 0; [...byRun.values()].some((links) => links.length > place); place += 1) {
    const histories = [...byRun.values()].flatMap((links) => {
      const link = links[place];
      return link ? [{ workflowId: link.workflowId, history: historyOf(link.history) }] : [];
    });
    for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
      faults[`${workflowId}/${place + 1}`] = error?.message ?? null;
    }
  }
  return faults;
}

const replaced = (recording: Recording, from: string, to: string): Recording => ({
  ...recording,
  links: JSON.parse(JSON.stringify(recording.links).replaceAll(from, to)) as Recording['links'],
});

describe('recorded histories', () => {
  it.each(recordedVersions())(
    'of interpreter version %i replay with the code as it is',
    async (version) => {
      const recordings = readCorpus(version);
      const faults = await replay(recordings);
      expect(Object.keys(faults)).toHaveLength(recordings.flatMap(({ links }) => links).length);
      expect(Object.entries(faults).filter(([, fault]) => fault !== null)).toEqual([]);
      expect(recordings.length).toBeGreaterThan(15);
    },
    120_000,
  );

  it('there are of every interpreter version', () => {
    const versions = Array.from({ length: INTERPRETER_VERSION }, (_, index) => index + 1);
    expect(recordedVersions()).toEqual(versions);
  });

  it('of the present version are there for every node type', () => {
    const recorded = JSON.stringify(readCorpus(INTERPRETER_VERSION).map(({ payloads }) => Object.values(payloads)));
    const types = Object.keys(NODE_TYPES).filter((type) => type !== 'note');
    expect(types.filter((type) => !recorded.includes(`\\"type\\":\\"${type}\\"`))).toEqual([]);
  });

  it('that another engine would have written differently do not replay', async () => {
    const [recording] = readCorpus(1).filter(({ workflowId }) => workflowId === 'replay-parallel-calls');
    const faults = await replay([replaced(recording as Recording, '"after#1"', '"elsewhere#1"')]);
    expect(Object.values(faults)).toEqual([expect.stringContaining('nondeterminism')]);
  }, 60_000);

  it('that somebody changed, whose events changed places or came twice, are not taken for what was recorded', async () => {
    const [recording] = readCorpus(1).filter(({ workflowId }) => workflowId === 'replay-parallel-calls') as [Recording];
    const withEvents = (change: (events: { eventId: string }[]) => { eventId: string }[]): Recording => {
      const copy = structuredClone(recording);
      for (const { history } of copy.links as unknown as { history: { events: { eventId: string }[] } }[])
        history.events = change(history.events).map((event, index) => ({ ...event, eventId: String(index + 1) }));
      return copy;
    };
    const half = 8;
    const forged = {
      duplicate: withEvents((events) => events.flatMap((event, at) => (at === half ? [event, event] : [event]))),
      reordered: withEvents((events) => events.toSpliced(half, 2, ...events.slice(half, half + 2).reverse())),
      removed: withEvents((events) => events.toSpliced(half, 1)),
    };
    for (const [what, changed] of Object.entries(forged))
      expect({ what, fault: Object.values(await replay([changed]))[0] }).not.toEqual({ what, fault: null });
  }, 60_000);
});
