import { join } from 'node:path';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { readSchema } from '../api/graphql/read-schema.ts';
import { openApi } from '../api/rest/open-api.ts';
import { REST_ROUTES } from '../api/rest/routes/all-routes.ts';

export const OPEN_API_FILE = join(import.meta.dirname, '../docs/openapi.json');

export function renderOpenApi(): string {
  const typeDefs = readSchema(new URL('../api/runs/schema/', import.meta.url));
  return JSON.stringify(openApi(buildSubgraphSchema([{ typeDefs }]), REST_ROUTES), null, 2);
}
