import type { SettingName } from '../config/settings.ts';

export type Subgraph = {
  /** Its name in the supergraph and in `extensions.service`. */
  name: string;
  /** Folder of its SDL files, from the root of the repository. */
  schema: string;
  /** The setting that holds its address. */
  urlSetting: Extract<SettingName, 'WORKFLOW_API_URL'>;
};

export const SUBGRAPHS: readonly Subgraph[] = [
  { name: 'runs', schema: 'api/runs/schema', urlSetting: 'WORKFLOW_API_URL' },
];
