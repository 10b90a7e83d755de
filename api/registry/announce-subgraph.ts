import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { print } from 'graphql';
import type { Logger } from 'pino';
import { sdlHash } from '../../adapters/federation/subgraph-sdl.ts';
import { signInstance } from '../../adapters/registry/sign-instance.ts';
import { beat, BEAT_MS, type InstanceHealth, leave } from '../../adapters/registry/subgraph-instances.ts';
import { isPublished, servedVersion } from '../../adapters/registry/supergraph-store.ts';
import type { InternalTokens } from '../../adapters/tokens/internal-token.ts';
import type { Settings } from '../../config/settings.ts';
import type { RegistryDeps } from './deps.ts';
import { publishSchema } from './publish-schema.ts';

export type Announced = RegistryDeps & {
  settings: Pick<Settings, 'WEFT_HOST' | 'WEFT_SUBGRAPH_URL' | 'WEFT_SCHEMA_AT_START'>;
  port: number;
  path: string;
  /** Null where nobody has to sign in. */
  tokens: InternalTokens | null;
  healthy: () => Promise<boolean>;
  log: Logger;
};

export type Announcement = {
  /** Says that the process is about to stop, and when that has had its time, that it is gone. */
  close: (drainMs: number) => Promise<void>;
};

/** Tells gateways again and again where this process serves its subgraph, and how it is. */
export function announceSubgraph(parts: Announced): Announcement {
  const { pool, own, tokens, healthy, log } = parts;
  const instance = randomUUID();
  const about = { subgraph: own.name, url: addressOf(parts), sdlHash: sdlHash(own.document) };
  const stopped = new AbortController();
  let draining = false;

  async function tell(health: InstanceHealth): Promise<void> {
    const proof = tokens === null ? null : await signInstance(tokens, about);
    await beat(pool, { ...about, instance, host: hostname(), health, proof });
  }

  async function keepTelling(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const health = (await healthy()) ? 'healthy' : 'unhealthy';
        await tell(draining ? 'draining' : health);
      } catch (error) {
        log.warn({ err: error }, 'gateways could not be told of this subgraph');
      }
      await sleep(BEAT_MS, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  const telling = keepTelling();
  const publishing = publishAtStart(parts, about.sdlHash).catch((error: unknown) =>
    log.error({ err: error }, 'the schema of this subgraph was not published; gateways serve what they served'),
  );
  return {
    async close(drainMs) {
      draining = true;
      await tell('draining').catch((error: unknown) => log.warn({ err: error }, 'gateways could not be told'));
      await sleep(drainMs);
      stopped.abort();
      await telling;
      await publishing;
      await leave(pool, own.name, instance).catch((error: unknown) =>
        log.warn({ err: error }, 'gateways could not be told that this subgraph is gone'),
      );
    },
  };
}

/** What was published before and is not served any more was taken back by somebody: starting does not undo that. */
async function publishAtStart(parts: Announced, hash: string): Promise<void> {
  const { pool, own, settings, log } = parts;
  if (settings.WEFT_SCHEMA_AT_START === 'keep' || (await servedVersion(pool)) === 0) return;
  if (await isPublished(pool, own.name, hash)) return;
  const { version } = await publishSchema(
    parts,
    { subject: null, address: null },
    { subgraph: own.name, sdl: print(own.document), force: true, note: 'as it started' },
  );
  log.info({ version: version.version }, 'the schema of this subgraph is published');
}

const ALL = new Set(['0.0.0.0', '::', '[::]']);

function addressOf({ settings, port, path }: Announced): string | null {
  const { WEFT_SUBGRAPH_URL: said, WEFT_HOST: host } = settings;
  if (said !== null) return new URL(said).href;
  return ALL.has(host) ? null : `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}
