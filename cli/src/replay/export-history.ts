import { writeFile } from 'node:fs/promises';
import { createPayloadCodecs } from '../../../temporal/data-converter.ts';
import { historyToJson } from '../../../temporal/history-json.ts';
import type { readChain } from '../../../temporal/read-chain.ts';
import { collectPayloads, definitionHashesIn, recordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import { UsageError } from '../usage-error.ts';
import type { RecordedRun } from './history-file.ts';
import { chainOf, type ReplayServers, withServers } from './replay-servers.ts';

export type ExportHistoryOptions = { out?: string; link?: number; all?: boolean };
type Chain = Awaited<ReturnType<typeof readChain>>;

/** `weft history export`: Temporal's own JSON of one link, or a file with all that a replay needs. */
export async function exportHistory(runId: string, { out, link, all }: ExportHistoryOptions): Promise<number> {
  return withServers(async (servers) => {
    const chain = await chainOf(servers, runId);
    const value = all ? await recordedRun(servers, runId, chain) : historyToJson(chosen(chain, link));
    const text = `${JSON.stringify(value, null, 2)}\n`;
    if (out === undefined) process.stdout.write(text);
    else await writeFile(out, text);
    return 0;
  });
}

function chosen(chain: Chain, link: number | undefined): Chain[number] {
  if (link === undefined && chain.length > 1) {
    throw new UsageError(`The run has ${chain.length} links`, 'Take one with --link <n>, or everything with --all.');
  }
  const history = chain[(link ?? 1) - 1];
  if (history === undefined) throw new UsageError(`The run has no link ${link}`, `It has ${chain.length}.`);
  return history;
}

async function recordedRun(servers: ReplayServers, workflowId: string, chain: Chain): Promise<RecordedRun> {
  const store = servers.store ?? recordedPayloads({}, null, servers.cipher);
  const hashes = await definitionHashesIn(chain, createPayloadCodecs(servers.settings, store));
  const definitions: RecordedRun['definitions'] = {};
  for (const hash of hashes) {
    const definition = await servers.definition(hash);
    if (definition !== undefined) definitions[hash] = definition;
  }
  const links = chain.map((history) => ({ workflowId, history: historyToJson(history) }));
  return { workflowId, links, payloads: await collectPayloads(chain, store), definitions };
}
