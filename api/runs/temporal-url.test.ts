import { describe, expect, it } from '@jest/globals';
import { runId } from '../../domain/identifiers.ts';
import { temporalUrl } from './temporal-url.ts';

const settings = { TEMPORAL_UI_URL: 'https://temporal.example/', TEMPORAL_NAMESPACE: 'team a' };

describe('temporalUrl', () => {
  it("leads to the run's history", () => {
    expect(temporalUrl(settings, { id: runId('run-1'), temporalRunId: '0f' })).toBe(
      'https://temporal.example/namespaces/team%20a/workflows/run-1/0f/history',
    );
  });

  it("searches for the run while Temporal's own run id is not known", () => {
    expect(temporalUrl(settings, { id: runId('run-1'), temporalRunId: null })).toBe(
      'https://temporal.example/namespaces/team%20a/workflows?query=WorkflowId%3D%22run-1%22',
    );
  });
});
