import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { accessRules } from './access-rules.ts';
import { SUPERGRAPH_FILE } from './supergraph-file.ts';

const SUPERGRAPH = readFileSync(SUPERGRAPH_FILE, 'utf8');

describe('accessRules', () => {
  const { sdl, rules } = accessRules(SUPERGRAPH);

  it('gives the scopes of operations and of fields below them', () => {
    const needs = (scope: string) => [{ kind: 'scopes', anyOf: [[scope]] }];
    expect(rules.get('Query.runs')).toEqual(needs('runs:read'));
    expect(rules.get('Mutation.publishWorkflow')).toEqual(needs('workflows:write'));
    expect(rules.get('Workflow.runs')).toEqual(needs('runs:read'));
    expect(rules.get('Mutation.logOut')).toEqual([{ kind: 'authenticated', anyOf: [] }]);
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

  it('knows the directives by whatever name the supergraph gives them', () => {
    const renamed = SUPERGRAPH.replaceAll('requiresScopes__', 'needs__')
      .replaceAll('@requiresScopes', '@needs')
      .replace('requiresScopes/v0.1", for', 'requiresScopes/v0.1", as: "needs", for');
    const named = accessRules(renamed);
    expect(named.rules).toEqual(rules);
    expect(named.sdl).toBe(sdl);
  });

  it('refuses a policy that it could not decide', () => {
    const strange = SUPERGRAPH.replace(
      '@requiresScopes(scopes: [["runs:read"]])',
      '@policy(policies: [["moon:full"]])',
    );
    expect(() => accessRules(strange)).toThrow(/moon:full/);
  });
});
