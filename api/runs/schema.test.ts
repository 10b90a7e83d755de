import { describe, expect, it } from '@jest/globals';
import { Kind } from 'graphql';
import { APPROVAL_DECISIONS } from '../../domain/runs/run-event.ts';
import { readSchema } from '../graphql/read-schema.ts';
import { NODE_STATUSES, RUN_STATUSES } from '../../domain/runs/run-status.ts';

const sdl = readSchema(new URL('schema/', import.meta.url));

describe('the SDL of the runs subgraph', () => {
  it('lists the same statuses and decisions as the domain', () => {
    expect(valuesOf('RunStatus')).toEqual([...RUN_STATUSES]);
    expect(valuesOf('NodeStatus')).toEqual([...NODE_STATUSES]);
    expect(valuesOf('ApprovalDecision')).toEqual([...APPROVAL_DECISIONS]);
  });

  it('describes every type that is not a page of a list or an enum that speaks for itself', () => {
    const silent = sdl.definitions.filter((one) => one.kind === Kind.OBJECT_TYPE_DEFINITION && !one.description);
    const names = silent.map((one) => ('name' in one ? (one.name?.value ?? '') : ''));
    expect(names.filter((name) => !/(Connection|Edge)$/.test(name))).toEqual(['PageInfo', 'Query', 'Mutation']);
  });
});

function valuesOf(name: string): string[] {
  const found = sdl.definitions.find((one) => one.kind === Kind.ENUM_TYPE_DEFINITION && one.name.value === name);
  if (found?.kind !== Kind.ENUM_TYPE_DEFINITION) return [];
  return (found.values ?? []).map((value) => value.name.value);
}
