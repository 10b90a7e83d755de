import type { ContentActivities } from '../content/activities.ts';
import type { ModelActivities } from '../models/activities.ts';
import type { ToolActivities } from '../tools/activities.ts';

/** Every activity a node may be; the activity's name is the node's type. */
export interface NodeActivities extends ContentActivities, ModelActivities, ToolActivities {}
export type ActivityType = keyof NodeActivities;
