import type { Logger } from 'pino';
import { accessRules } from '../access-rules.ts';
import type { Graph } from '../graph.ts';
import type { Addresses } from './addresses.ts';
import { type GraphState, releaseState } from './graph-state.ts';
import { sha256, writeLastGood } from './last-good-file.ts';

export type Offer = {
  source: GraphState['source'];
  version: number;
  supergraphSdl: string;
  hash: string;
  addresses: Readonly<Record<string, string | null>>;
};

export type ServedGraph = {
  state: () => GraphState;
  reached: (registry: GraphState['registry']) => void;
  /** Hands what it is offered to this from now on. */
  begin: (serve: (graph: Graph) => Promise<void>) => void;
  /** The last to be offered is the last to be served. What cannot be served leaves everything as it was. */
  offer: (one: Offer) => Promise<void>;
  /** Writes down what is served and where the subgraphs are. */
  save: () => Promise<void>;
  close: () => Promise<void>;
};

export type ServedParts = { addresses: Addresses; release: Graph; file: string; log: Logger };

export function createServedGraph({ addresses, release, file, log }: ServedParts): ServedGraph {
  let state = releaseState(release, 'unreachable');
  let served = release.supergraphSdl;
  let serve: (graph: Graph) => Promise<void> = () => Promise.resolve();
  let taking: Promise<void> = Promise.resolve();
  let closed = false;

  async function take({ source, version, hash, supergraphSdl, addresses: published }: Offer): Promise<void> {
    if (closed || (version === state.version && source === state.source)) return;
    try {
      if (hash !== sha256(supergraphSdl)) throw new Error('its content is not what was published');
      if (supergraphSdl !== served) {
        await serve(source === 'release' ? release : graphOf(supergraphSdl, addresses));
        log.info({ version, hash, source }, 'another version of the graph is served');
      }
      addresses.publish(published);
      served = supergraphSdl;
      state = { ...{ source, version, hash, since: new Date(), refused: null }, registry: state.registry };
      if (source === 'registry') await save();
    } catch (error) {
      state = { ...state, refused: { version, reason: (error as Error).message } };
      log.error({ err: error, version, source }, 'a version of the graph cannot be served; what was before still is');
    }
  }

  async function save(): Promise<void> {
    const { version, hash } = state;
    const known = { version, hash, supergraphSdl: served, addresses: addresses.known(), savedAt: new Date().toJSON() };
    await writeLastGood(file, known).catch((error: unknown) =>
      log.warn({ err: error, file }, 'the last good graph could not be written down'),
    );
  }

  return {
    state: () => state,
    reached: (registry) => {
      state = { ...state, registry };
    },
    begin: (next) => {
      serve = next;
    },
    offer: (one) => (taking = taking.then(() => take(one))),
    save,
    async close() {
      closed = true;
      await taking;
    },
  };
}

function graphOf(supergraphSdl: string, { of }: Addresses): Graph {
  const { sdl, rules } = accessRules(supergraphSdl);
  return { supergraphSdl, plannedSdl: sdl, rules, addressOf: of };
}
