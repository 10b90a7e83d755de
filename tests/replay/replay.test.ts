import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { JsonObject } from '../../domain/json.ts';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';
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
  const histories = recordings.flatMap(({ workflowId, links }) =>
    links.map((link, index) => ({ workflowId: `${workflowId}/${index + 1}`, history: historyOf(link) })),
  );
  const results = Worker.runReplayHistories(
    {
      workflowBundle,
      dataConverter: createDataConverter(loadSettings({}), storeOf(recordings)),
      sinks: { hints: { progressed: { fn: () => undefined, callDuringReplay: false } } },
    },
    histories,
  );
  const faults: { [link: string]: string | null } = {};
  for await (const { workflowId, error } of results) faults[workflowId] = error?.message ?? null;
  return faults;
}

const replaced = (recording: Recording, from: string, to: string): Recording => ({
  ...recording,
  links: JSON.parse(JSON.stringify(recording.links).replaceAll(from, to)) as JsonObject[],
});

describe('recorded histories', () => {
  it.each(recordedVersions())(
    'of interpreter version %i replay with the code as it is',
    async (version) => {
      const recordings = readCorpus(version);
      const links = recordings.flatMap(({ workflowId, links: all }) =>
        all.map((_, index) => `${workflowId}/${index + 1}`),
      );
      expect(links.length).toBeGreaterThan(15);
      expect(await replay(recordings)).toEqual(Object.fromEntries(links.map((link) => [link, null])));
    },
    120_000,
  );

  it('there are of every interpreter version', () => {
    const earlier = Array.from({ length: INTERPRETER_VERSION - 1 }, (_, index) => index + 1);
    expect(recordedVersions()).toEqual(expect.arrayContaining(earlier));
  });

  it('that another engine would have written differently do not replay', async () => {
    const [recording] = readCorpus(1).filter(({ workflowId }) => workflowId === 'replay-parallel-calls');
    const faults = await replay([replaced(recording as Recording, '"after#1"', '"elsewhere#1"')]);
    expect(Object.values(faults)).toEqual([expect.stringContaining('nondeterminism')]);
  }, 60_000);
});
