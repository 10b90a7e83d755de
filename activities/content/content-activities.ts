import type { ContentActivities } from '../../domain/content/activities.ts';
import { analyzeContent, type AnalyzeContentDependencies } from './analyze-content.ts';

export function createContentActivities(dependencies: AnalyzeContentDependencies) {
  return { 'content.analyze': analyzeContent(dependencies) } satisfies ContentActivities;
}
