import type { WorkflowId } from '../../identifiers.ts';
import type { Json } from '../../json.ts';

/** A definition that somebody is writing: it may have problems, and nothing runs it. */
export type Draft = {
  workflowId: WorkflowId;
  definition: Json;
  /** The published version that the writing began from. */
  basedOnVersion: number | null;
  /** 1, 2, 3 ... with every save. */
  revision: number;
  updatedBy: string | null;
  createdAt: Date;
  updatedAt: Date;
};
