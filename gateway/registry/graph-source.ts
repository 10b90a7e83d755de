import { join } from 'node:path';
import type { Logger } from 'pino';
import { openRegistry } from '../../adapters/registry/open-registry.ts';
import { createInternalTokens } from '../../adapters/tokens/internal-token.ts';
import type { Settings } from '../../config/settings.ts';
import { committedGraph } from '../graph.ts';
import { createAddresses } from './addresses.ts';
import { followRegistry } from './follow-registry.ts';
import { fixedSource, type GraphSource } from './graph-state.ts';

/** What the registry says, else what it said last, else what this release came with. */
export function openGraphSource(settings: Settings, log: Logger): GraphSource {
  const tokens = settings.WEFT_AUTH === 'off' ? null : createInternalTokens(settings.WEFT_SECRET_KEY);
  const addresses = createAddresses(settings, tokens);
  const release = { ...committedGraph(settings), addressOf: addresses.of };
  if (settings.DATABASE_URL === null) return fixedSource(release);
  const file = settings.WEFT_SUPERGRAPH_FILE ?? join(settings.WEFT_DATA_DIR, 'supergraph.json');
  return followRegistry({ registry: openRegistry(settings.DATABASE_URL), addresses, release, file, log });
}
