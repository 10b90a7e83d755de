/** Writes the pages of docs/ that are made from tables in the code; part of `npm run generate`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { renderErrorsPage } from './errors-page.ts';
import {
  EVENT_CATALOGUE_FILE,
  EVENT_SCHEMA_FILE,
  renderEventCatalogue,
  renderEventSchemas,
} from './event-catalogue.ts';
import { pagesWithBlocks, renderWorkflowSchema, WORKFLOW_SCHEMA_FILE } from './generated-docs.ts';
import { renderNodesPage } from './nodes-page.ts';
import { OPEN_API_FILE, renderOpenApi } from './open-api.ts';

writeFileSync(join(import.meta.dirname, '../docs/errors.md'), renderErrorsPage());
writeFileSync(join(import.meta.dirname, '../docs/nodes.md'), await renderNodesPage());
for (const { file, renewed } of pagesWithBlocks()) writeFileSync(file, renewed);
writeFileSync(WORKFLOW_SCHEMA_FILE, await format(renderWorkflowSchema(), { parser: 'json', printWidth: 120 }));
writeFileSync(EVENT_CATALOGUE_FILE, renderEventCatalogue());
writeFileSync(EVENT_SCHEMA_FILE, await format(renderEventSchemas(), { parser: 'json', printWidth: 120 }));
writeFileSync(OPEN_API_FILE, await format(renderOpenApi(), { parser: 'json', printWidth: 120 }));
