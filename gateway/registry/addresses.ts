import { hostname } from 'node:os';
import { isSigned } from '../../adapters/registry/sign-instance.ts';
import type { SubgraphInstance } from '../../adapters/registry/subgraph-instances.ts';
import type { InternalTokens } from '../../adapters/tokens/internal-token.ts';
import type { Settings } from '../../config/settings.ts';
import { SUBGRAPHS } from '../subgraphs.ts';

/** Where subgraphs are. */
export type Addresses = {
  of: (subgraph: string) => URL;
  /** Takes what processes say of themselves; gives whether any address is another now. */
  take: (instances: readonly SubgraphInstance[]) => Promise<boolean>;
  /** Takes where subgraphs were published to be, or were before this process. */
  publish: (addresses: Readonly<Record<string, string | null>>) => void;
  /** Of those that were ever asked for. */
  known: () => Record<string, string>;
};

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;
/** Resolves nowhere: who asks a subgraph that nobody has an address of is told that it cannot be reached. */
const NOWHERE = new URL('http://unregistered.invalid/graphql');

/**
 * What a process says of itself comes first, then what was published, then the settings.
 * @param tokens null where processes do not sign, which is on loopback addresses alone
 */
export function createAddresses(settings: Settings, tokens: InternalTokens | null): Addresses {
  let published = new Map<string, URL>();
  let said = new Map<string, URL>();
  const asked = new Set<string>();
  const fromSettings = new Map(SUBGRAPHS.map(({ name, urlSetting }) => [name, new URL(settings[urlSetting])]));
  const of = (subgraph: string): URL => {
    asked.add(subgraph);
    return said.get(subgraph) ?? published.get(subgraph) ?? fromSettings.get(subgraph) ?? NOWHERE;
  };
  return {
    of,
    async take(instances) {
      const next = new Map<string, URL>();
      for (const instance of [...instances].sort(byFitness)) {
        const url = await addressIn(instance, tokens);
        if (url !== null && !next.has(instance.subgraph)) next.set(instance.subgraph, url);
      }
      const before = textOf(said);
      said = next;
      return textOf(next) !== before;
    },
    publish(addresses) {
      const entries = Object.entries(addresses).filter((entry): entry is [string, string] => entry[1] !== null);
      published = new Map(entries.map(([name, url]) => [name, new URL(url)]));
    },
    known: () => Object.fromEntries([...asked].map((name) => [name, of(name).href])),
  };
}

const RANKS = { healthy: 0, unhealthy: 1, draining: 2 } as const;

/** Healthy ones first, then who started last. */
const byFitness = (left: SubgraphInstance, right: SubgraphInstance): number =>
  RANKS[left.health] - RANKS[right.health] || right.startedAt.getTime() - left.startedAt.getTime();

async function addressIn(instance: SubgraphInstance, tokens: InternalTokens | null): Promise<URL | null> {
  const { url, host } = instance;
  if (url === null || !URL.canParse(url)) return null;
  const address = new URL(url);
  // Its own loopback says nothing on another machine.
  if (LOOPBACK.test(address.hostname) ? host !== hostname() : tokens === null) return null;
  return tokens === null || (await isSigned(tokens, instance)) ? address : null;
}

const textOf = (addresses: ReadonlyMap<string, URL>): string =>
  [...addresses]
    .map(([name, url]) => `${name} ${url.href}`)
    .sort()
    .join('\n');
