import type { ToolActivities } from '../../domain/tools/activities.ts';
import { http, type HttpDependencies } from './http.ts';

export function createToolActivities(dependencies: HttpDependencies) {
  return { http: http(dependencies) } satisfies Pick<ToolActivities, 'http'>;
}
