import type { Graph } from '../graph.ts';
import { sha256 } from './last-good-file.ts';

/** What is served, and how that came about, for whoever looks after it. */
export type GraphState = {
  /** `release`: what the gateway came with. `file`: the last good one, as the registry could not be asked yet. */
  source: 'registry' | 'file' | 'release';
  /** 0 for the release. */
  version: number;
  hash: string;
  since: Date;
  /** A later version that cannot be served; what was served before still is. */
  refused: { version: number; reason: string } | null;
  registry: 'off' | 'reachable' | 'unreachable';
};

export type GraphSource = {
  /** What to begin with. Addresses in it are always those of now. */
  first: Graph;
  state: () => GraphState;
  /** Hands over what is to be served instead, now and from then on; one that `serve` rejects is not served. */
  follow: (serve: (graph: Graph) => Promise<void>) => Promise<void>;
  close: () => Promise<void>;
};

export const releaseState = ({ supergraphSdl }: Graph, registry: GraphState['registry']): GraphState => ({
  ...{ source: 'release', version: 0, hash: sha256(supergraphSdl), since: new Date(), refused: null, registry },
});

/** For gateways that always serve the same. */
export function fixedSource(graph: Graph): GraphSource {
  const state = releaseState(graph, 'off');
  return { first: graph, state: () => state, follow: () => Promise.resolve(), close: () => Promise.resolve() };
}
