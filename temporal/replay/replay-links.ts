import type { DataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { DecodePayloads } from '../history-payloads.ts';
import { ownTemporalRunId } from '../history-links.ts';
import { describeDivergence, type Divergence } from './describe-divergence.ts';

type History = temporal.api.history.v1.IHistory;

/** A history of one link of a run. */
export type ReplayLink = { workflowId: string; history: History };
export type ReplayOptions = {
  workflowBundle: WorkflowBundleOption;
  dataConverter: DataConverter;
  decode: DecodePayloads;
};
export type ReplayedLink = {
  workflowId: string;
  temporalRunId: string | null;
  /** 1, 2, 3 ... in the order in which the links of a run were given. */
  link: number;
  workflowType: string;
  events: number;
  /** Of the worker that wrote the last of it. */
  buildId: string | null;
  divergence: Divergence | null;
};

/** The SDK's own lines would repeat what the results say. Once in a process, before the first replay. */
export function quietReplay(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'OFF' } },
    shutdownSignals: [],
  });
}

/**
 * Whether the workflow code as it is makes of each history what was recorded. The SDK knows a result by the workflow's id alone,
 * so links of one run are replayed one after the other, and those of different runs together.
 */
export async function* replayLinks(options: ReplayOptions, links: readonly ReplayLink[]): AsyncGenerator<ReplayedLink> {
  const { workflowBundle, dataConverter, decode } = options;
  const worker = {
    workflowBundle,
    dataConverter,
    sinks: { hints: { progressed: { fn: () => undefined, callDuringReplay: false } } },
  };
  const runs = Map.groupBy(links, ({ workflowId }) => workflowId);
  for (let place = 0; [...runs.values()].some((chain) => chain.length > place); place += 1) {
    const round = new Map<string, ReplayLink>(
      [...runs].flatMap(([id, chain]) => chain.slice(place, place + 1).map((link) => [id, link] as const)),
    );
    for await (const { workflowId, error } of Worker.runReplayHistories(worker, round.values())) {
      const link = round.get(workflowId) as ReplayLink;
      const divergence = error === undefined ? null : await describeDivergence(error, link.history, decode);
      yield { ...summaryOf(link), link: place + 1, divergence };
    }
  }
}

function summaryOf({ workflowId, history }: ReplayLink): Omit<ReplayedLink, 'link' | 'divergence'> {
  const events = history.events ?? [];
  return {
    workflowId,
    temporalRunId: ownTemporalRunId(events)?.temporalRunId ?? null,
    workflowType: events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '',
    events: events.length,
    buildId: buildOf(events.findLast((event) => event.workflowTaskCompletedEventAttributes)),
  };
}

function buildOf(event: temporal.api.history.v1.IHistoryEvent | undefined): string | null {
  const { deploymentVersion, workerVersion } = event?.workflowTaskCompletedEventAttributes ?? {};
  return deploymentVersion?.buildId || workerVersion?.buildId || null;
}
