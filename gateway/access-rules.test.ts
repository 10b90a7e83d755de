import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { accessRules } from './access-rules.ts';
import { SUPERGRAPH_FILE } from './supergraph-file.ts';

const SUPERGRAPH = readFileSync(SUPERGRAPH_FILE, 'utf8');

describe('accessRules', () => {
  const { sdl, rules } = accessRules(SUPERGRAPH);

  it('gives the scopes of operations and of fields below them', () => {
    expect(rules.get('Query.runs')).toEqual([['runs:read']]);
    expect(rules.get('Mutation.publishWorkflow')).toEqual([['workflows:write']]);
    expect(rules.get('Workflow.runs')).toEqual([['runs:read']]);
    expect(rules.get('Run.id')).toBeUndefined();
  });

  it('gives a supergraph without any trace of them', () => {
    expect(SUPERGRAPH).toContain('requiresScopes');
    expect(sdl).not.toContain('requiresScopes');
    expect(sdl).toContain('https://specs.apollo.dev/join/');
  });

  it('refuses a supergraph from which the rules were taken', () => {
    expect(() => accessRules(sdl)).toThrow(/Query\.runs/);
  });
});
