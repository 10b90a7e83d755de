import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { type AccessRules, accessRules } from './access-rules.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { SUPERGRAPH_FILE } from './supergraph-file.ts';

/** What a gateway serves. */
export type Graph = {
  /** As it was composed. */
  supergraphSdl: string;
  /** What the planner loads: without the directives that are in `rules`. */
  plannedSdl: string;
  rules: AccessRules;
  addressOf: (subgraph: string) => URL;
};

/** The committed supergraph, with its subgraphs where the settings say. */
export function committedGraph(settings: Settings): Graph {
  const supergraphSdl = readFileSync(SUPERGRAPH_FILE, 'utf8');
  const { sdl, rules } = accessRules(supergraphSdl);
  return {
    supergraphSdl,
    plannedSdl: sdl,
    rules,
    addressOf(name) {
      const subgraph = SUBGRAPHS.find((candidate) => candidate.name === name);
      if (!subgraph) throw new Error(`The supergraph names subgraph ${name}, which is not in gateway/subgraphs.ts`);
      return new URL(settings[subgraph.urlSetting]);
    },
  };
}
