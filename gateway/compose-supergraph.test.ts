import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { declarePermissions } from '../adapters/graphql/declare-permissions.ts';
import { CompositionFailed, composeSupergraph } from './compose-supergraph.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { REPOSITORY_ROOT, SUPERGRAPH_FILE } from './supergraph-file.ts';

describe('composeSupergraph', () => {
  it('gives exactly the committed supergraph', () => {
    expect(composeSupergraph(SUBGRAPHS, REPOSITORY_ROOT, declarePermissions)).toBe(
      readFileSync(SUPERGRAPH_FILE, 'utf8'),
    );
  });

  it('gives the same text every time, whatever the order of the subgraphs', () => {
    const root = folderOf({
      'a/schema.graphql': 'type A @key(fields: "id") { id: ID! } type Query { a: A }',
      'b/schema.graphql': 'type A @key(fields: "id") { id: ID! n: Int } type Query { b: Int }',
    });
    const a = { name: 'a', schema: 'a', urlSetting: 'WORKFLOW_API_URL' } as const;
    const b = { name: 'b', schema: 'b', urlSetting: 'WORKFLOW_API_URL' } as const;
    const composed = composeSupergraph([a, b], root);
    expect(composeSupergraph([a, b], root)).toBe(composed);
    expect(composeSupergraph([b, a], root)).toBe(composed);
  });

  it('names every reason why subgraphs do not compose', () => {
    const root = folderOf({
      'a/schema.graphql': 'type Query { same: Int other: Int }',
      'b/schema.graphql': 'type Query { same: String other: Int }',
    });
    const composing = () =>
      composeSupergraph(
        [
          { name: 'a', schema: 'a', urlSetting: 'WORKFLOW_API_URL' },
          { name: 'b', schema: 'b', urlSetting: 'WORKFLOW_API_URL' },
        ],
        root,
      );
    expect(composing).toThrow(CompositionFailed);
    expect(composing).toThrow(/Query\.same/);
  });

  it('refuses arguments inside @requires, whatever the directive is called', () => {
    const priced = (requires: string) =>
      folderOf({
        'a/schema.graphql':
          'type P @key(fields: "id") { id: ID! price(in: String): Int size: S } type S { w(u: Int): Int } type Query { p: P }',
        'b/schema.graphql': `
          extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external"])
          extend type P @key(fields: "id") {
            id: ID!
            price(in: String): Int @external
            size: S @external
            tax: Int ${requires}
          }
          type S { w(u: Int): Int @external }`,
      });
    const compose = (requires: string) => () =>
      composeSupergraph(
        ['a', 'b'].map((name) => ({ name, schema: name, urlSetting: 'WORKFLOW_API_URL' })),
        priced(requires),
      );
    expect(compose('@federation__requires(fields: "price size { w }")')).not.toThrow();
    expect(compose('@federation__requires(fields: "price(in: \\"EUR\\")")')).toThrow(
      '[b] P.tax: @requires may not give arguments to price',
    );
    expect(compose('@federation__requires(fields: "{ price size { w(u: 1) } }")')).toThrow(
      '[b] P.tax: @requires may not give arguments to w',
    );
  });
});

function folderOf(files: Record<string, string>): URL {
  const folder = mkdtempSync(join(tmpdir(), 'weft-compose-'));
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)));
    writeFileSync(join(folder, name), text.includes('@link') ? text : link + text);
  }
  return pathToFileURL(`${folder}/`);
}
