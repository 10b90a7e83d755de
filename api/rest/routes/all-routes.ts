import type { RestRoute } from '../rest-route.ts';
import { ACCESS_ROUTES } from './access-routes.ts';
import { RUN_ROUTES } from './run-routes.ts';
import { TRIGGER_ROUTES } from './trigger-routes.ts';
import { WORKFLOW_ROUTES } from './workflow-routes.ts';

export const REST_ROUTES: readonly RestRoute[] = [
  ...ACCESS_ROUTES,
  ...WORKFLOW_ROUTES,
  ...RUN_ROUTES,
  ...TRIGGER_ROUTES,
];
