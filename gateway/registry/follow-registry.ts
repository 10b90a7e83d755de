import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../../adapters/registry/open-registry.ts';
import { type GraphSource, releaseState } from './graph-state.ts';
import { readLastGood } from './last-good-file.ts';
import { createServedGraph, type Offer, type ServedParts } from './served-graph.ts';

export type FollowedRegistry = ServedParts & { registry: Registry };

/** A gateway starts without the registry when that has not answered by then. */
const FIRST_ANSWER_MS = 3_000;
const POLL_MS = 5_000;

export function followRegistry(parts: FollowedRegistry): GraphSource {
  const { registry, addresses, release, file, log } = parts;
  const served = createServedGraph(parts);
  let looking: Promise<void> | null = null;
  let again = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const [version, instances] = await Promise.all([registry.served(), registry.instances()]);
    if (served.state().registry !== 'reachable') log.info({ version }, 'the registry is reachable');
    served.reached('reachable');
    const moved = await addresses.take(instances);
    const { version: now, source, refused } = served.state();
    if (version === refused?.version) return;
    if (version !== now || source === 'file') await served.offer(await published(version));
    else if (moved && version > 0) await served.save();
  }

  async function published(version: number): Promise<Offer> {
    const stored = version === 0 ? null : await registry.read();
    if (stored === null) {
      return { ...releaseState(release, 'reachable'), supergraphSdl: release.supergraphSdl, addresses: {} };
    }
    const urls = Object.fromEntries(stored.subgraphs.map(({ name, url }) => [name, url]));
    return { ...stored, source: 'registry', addresses: urls };
  }

  /** Looks at once, or once more when it is just looking. */
  function wake(): Promise<void> {
    again = true;
    looking ??= lookWhileAsked().finally(() => {
      looking = null;
    });
    return looking;
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !closed) {
      again = false;
      await look().catch(unreachable);
    }
  }

  function unreachable(error: unknown): void {
    if (closed) return;
    if (served.state().registry === 'reachable')
      log.warn({ err: error }, 'the registry cannot be reached; the graph stays as it is');
    served.reached('unreachable');
  }

  return {
    first: release,
    state: served.state,
    async follow(serve) {
      served.begin(serve);
      await Promise.race([wake(), sleep(FIRST_ANSWER_MS, undefined, { ref: false })]);
      if (served.state().registry !== 'reachable') {
        const lastGood = await readLastGood(file);
        if (lastGood !== null) await served.offer({ ...lastGood, source: 'file' });
        const { source, version } = served.state();
        log.warn({ source, version }, 'the registry cannot be reached yet');
      }
      registry.listen(() => void wake());
      timer = setInterval(() => void wake(), POLL_MS).unref();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await registry.close();
      await served.close();
    },
  };
}
