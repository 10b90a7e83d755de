import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { TASK_QUEUES } from '../domain/runs/queues.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../deploy/keda/workers.yaml'), 'utf8');
const documents = parseAllDocuments(TEXT);

type ScaledObject = {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    scaleTargetRef: { name: string };
    minReplicaCount: number;
    maxReplicaCount: number;
    triggers: { type: string; metadata: Record<string, unknown> }[];
  };
};
const objects = documents.map((document) => document.toJS() as ScaledObject);

/** The parameters of KEDA's temporal scaler that are not deprecated (keda.sh, 2.19 to 2.22). */
const PARAMETERS = new Set([
  ...['endpoint', 'endpointFromEnv', 'namespace', 'taskQueue', 'queueTypes', 'targetQueueSize'],
  ...['activationTargetQueueSize', 'workerDeploymentName', 'workerDeploymentBuildId', 'minConnectTimeout'],
  ...['unsafeSsl', 'tlsServerName', 'apiKeyFromEnv'],
]);

describe('deploy/keda', () => {
  it('is YAML without errors or warnings', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  });

  it('scales the workers of every built-in queue by the backlog of that queue', () => {
    expect(objects.map(({ spec }) => spec.triggers.map(({ metadata }) => metadata['taskQueue'])).flat()).toEqual([
      ...TASK_QUEUES,
    ]);
    for (const { apiVersion, kind, metadata, spec } of objects) {
      expect({ apiVersion, kind }).toEqual({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' });
      expect(metadata.name).toBe(`weft-worker-${String(spec.triggers[0]?.metadata['taskQueue'])}`);
      expect(spec.scaleTargetRef.name).toBe(metadata.name);
      expect(spec.minReplicaCount).toBeLessThan(spec.maxReplicaCount);
    }
  });

  it('uses parameters that the temporal scaler has, all of them texts', () => {
    for (const { type, metadata } of objects.flatMap(({ spec }) => spec.triggers)) {
      expect(type).toBe('temporal');
      expect(Object.keys(metadata).filter((name) => !PARAMETERS.has(name))).toEqual([]);
      expect(Object.values(metadata).every((value) => typeof value === 'string')).toBe(true);
      expect(
        String(metadata['queueTypes'])
          .split(',')
          .filter((half) => !['workflow', 'activity'].includes(half)),
      ).toEqual([]);
      expect(Number(metadata['targetQueueSize'])).toBeGreaterThan(0);
    }
  });

  it('keeps a worker of the workflows at all times', () => {
    expect(objects.find(({ metadata }) => metadata.name === 'weft-worker-runs')?.spec.minReplicaCount).toBe(1);
  });
});
