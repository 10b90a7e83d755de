import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  EVENT_CATALOGUE_FILE,
  EVENT_SCHEMA_FILE,
  renderEventCatalogue,
  renderEventSchemas,
} from './event-catalogue.ts';
import { pagesWithBlocks, renderWorkflowSchema, WORKFLOW_SCHEMA_FILE } from './generated-docs.ts';
import { OPEN_API_FILE, renderOpenApi } from './open-api.ts';

/** `npm run generate` renews them. */
describe('generated documentation', () => {
  it.each(pagesWithBlocks())('is what the code says in $file', ({ text, renewed }) => expect(text).toBe(renewed));

  it('is what the code says in docs/workflow.schema.json', () => {
    expect(JSON.parse(readFileSync(WORKFLOW_SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(renderWorkflowSchema()));
  });

  it('is what the code says in docs/openapi.json', () => {
    expect(JSON.parse(readFileSync(OPEN_API_FILE, 'utf8'))).toEqual(JSON.parse(renderOpenApi()));
  });

  it('is what the code says in the catalogue of events', () => {
    expect(readFileSync(EVENT_CATALOGUE_FILE, 'utf8')).toBe(renderEventCatalogue());
    expect(JSON.parse(readFileSync(EVENT_SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(renderEventSchemas()));
  });
});
