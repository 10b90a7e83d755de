import { describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT } from '../domain/identifiers.ts';
import { tenantQuery } from './tenant-query.ts';

describe('a query on behalf of a tenant', () => {
  it('finds what bears its name, and where the place is its own also what bears none', () => {
    const query = "WorkflowType = 'run' AND (ExecutionStatus = 'Failed' OR WeftWorkflow = 'it''s (')";
    expect(tenantQuery(query, 'acme', false)).toBe(`WeftTenant = 'acme' AND (${query})`);
    expect(tenantQuery(query, 'acme', true)).toBe(`(WeftTenant = 'acme' OR WeftTenant IS NULL) AND (${query})`);
    expect(tenantQuery(' ', DEFAULT_TENANT, false)).toBe("(WeftTenant = 'default' OR WeftTenant IS NULL)");
  });

  it.each([
    "a = 'b') OR (c = 'd'",
    "a = 'b",
    "a = 'b' OR (c = 'd'",
    "a = 'b' -- ((\u0020",
    "a = 'b' -- ((\n) OR (c = 'd' -- ))\n",
    "a = 'b' /* (( */ ) OR (c = 'd' /* )) */",
    "a = 'b' # ((",
    String.raw`a = '\') OR (b = \''`,
    "a = 'b'; c",
    'a = "b\') OR (c',
  ])('is refused where it could reach further: %s', (query) => expect(tenantQuery(query, 'acme', false)).toBeNull());
});
