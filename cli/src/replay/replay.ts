import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { createHistoryDecoder } from '../../../temporal/history-payloads.ts';
import { findExecutions, readHistory } from '../../../temporal/read-chain.ts';
import { recordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import { quietReplay, type ReplayedLink, replayLinks, type ReplayLink } from '../../../temporal/replay/replay-links.ts';
import { workflowBundle } from '../start/workflow-bundle.ts';
import { UsageError } from '../usage-error.ts';
import { codeRange } from './code-range.ts';
import { type HistoryFile, readHistoryFile } from './history-file.ts';
import { describeReplayed, type ReplayReport } from './print-replay.ts';
import { chainOf, type ReplayServers, withServers } from './replay-servers.ts';

export type ReplayOptions = { query?: string; last?: number; bundle?: string; json?: boolean };

const MOST_BY_QUERY = 100;

/** `weft replay`: 0 when today's code makes of every history what was recorded, else 1. */
export async function runReplay(target: string | undefined, options: ReplayOptions): Promise<number> {
  const byQuery = options.query !== undefined || options.last !== undefined;
  if ((target === undefined) !== byQuery) {
    throw new UsageError(
      'Name a run or a file, or else a query',
      'weft replay <run id or file>, or --query, or --last',
    );
  }
  quietReplay();
  return withServers(async (servers) => {
    const { links, payloads, definitions } = await readTarget(servers, target, options);
    const store = recordedPayloads(payloads, servers.store, servers.cipher);
    const replaying = replayLinks(
      {
        workflowBundle: { code: await readBundle(servers, options.bundle) },
        dataConverter: createDataConverter(servers.settings, store, {
          definitions: async (hash) => definitions[hash] ?? servers.definition(hash),
        }),
        decode: createHistoryDecoder(servers.settings, store),
      },
      links,
    );
    const reports: ReplayReport[] = [];
    for await (const result of replaying) {
      const report = await reportOf(result);
      reports.push(report);
      if (!options.json) process.stdout.write(`${describeReplayed(report)}\n`);
    }
    const diverged = reports.filter(({ divergence }) => divergence !== null).length;
    if (options.json) process.stdout.write(`${JSON.stringify({ replayed: reports.length, diverged, reports })}\n`);
    else process.stdout.write(`${reports.length} histories replayed, ${diverged} diverged\n`);
    return diverged > 0 ? 1 : 0;
  });
}

async function readBundle({ settings }: ReplayServers, file: string | undefined): Promise<string> {
  const { signal } = new AbortController();
  return readFile(file ?? (await workflowBundle(settings.WEFT_DATA_DIR, signal)), 'utf8');
}

async function readTarget(
  servers: ReplayServers,
  target: string | undefined,
  { query = '', last }: ReplayOptions,
): Promise<HistoryFile> {
  if (target !== undefined && (target.endsWith('.json') || existsSync(target))) return readHistoryFile(target);
  const links =
    target === undefined
      ? await linksByQuery(await servers.clients(), query, last ?? MOST_BY_QUERY)
      : (await chainOf(servers, target)).map((history) => ({ workflowId: target, history }));
  return { links, payloads: {}, definitions: {} };
}

/** A query finds links, not runs, in every namespace in use; of those of one run the oldest goes first. */
async function linksByQuery(clients: readonly Client[], query: string, most: number): Promise<ReplayLink[]> {
  const asked = clients.map(async (client) =>
    (await findExecutions(client, query, most)).map((found) => ({ ...found, client })),
  );
  const found = (await Promise.all(asked)).flat();
  const newest = found.toSorted((one, other) => other.startedAt.getTime() - one.startedAt.getTime()).slice(0, most);
  const links: ReplayLink[] = [];
  for (const { client, workflowId, temporalRunId } of newest) {
    const history = await readHistory(client, workflowId, temporalRunId);
    if (history !== null) links.unshift({ workflowId, history });
  }
  return links;
}

async function reportOf(result: ReplayedLink): Promise<ReplayReport> {
  const { divergence, buildId } = result;
  return { ...result, code: divergence && (await codeRange(buildId, divergence.event?.at ?? null)) };
}
