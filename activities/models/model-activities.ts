import type { ModelActivities } from '../../domain/models/activities.ts';
import { complete, type CompleteDependencies } from './complete.ts';

export function createModelActivities(dependencies: CompleteDependencies) {
  return { 'model.complete': complete(dependencies) } satisfies ModelActivities;
}
