import type { ModelActivities } from '../../domain/models/activities.ts';
import { complete, type CompleteDependencies } from './complete.ts';
import { embed } from './embed.ts';

export function createModelActivities(dependencies: CompleteDependencies) {
  return { 'model.complete': complete(dependencies), 'model.embed': embed(dependencies) } satisfies ModelActivities;
}
