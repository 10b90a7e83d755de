import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { auditSuites } from '../../tests/federation-audit/audit.ts';
import { executeOperation } from './execute-operation.ts';
import { createFederation } from './federation.ts';
import { prepareOperation } from './prepare-operation.ts';
import type { SubgraphSource } from './subgraph-answer.ts';

describe('an error of a fetched object', () => {
  it('has the path of each place where the object is, also behind objects that could not be fetched', async () => {
    const federation = createFederation({
      sdl: auditSuites().find(({ id }) => id === 'parent-entity-call')?.supergraph ?? '',
      rules: new Map(),
    });
    const product = (id: string) => ({ __typename: 'Product', id, pid: 'p', category: {} });
    const unknown = { __typename: 'Product', id: '3', category: {} };
    const asked: unknown[] = [];
    const sources = new Map<string, SubgraphSource<null>>([
      ['a', async () => ({ data: { products: [product('1'), unknown, product('2'), product('1'), product('2')] } })],
      [
        'c',
        async ({ body }) => {
          asked.push((JSON.parse(body) as { variables: unknown }).variables);
          const errors = [{ message: 'sold out', path: ['_entities', 1, 'category', 'details'] }];
          return { data: { _entities: [null, { category: { details: null } }] }, errors };
        },
      ],
    ]);
    const prepared = prepareOperation(federation, parse('{ products { id category { details { products } } } }'));
    const { errors } = await executeOperation(prepared, { sources, context: null, variables: {} });
    const sent = (id: string) => ({ __typename: 'Product', id, pid: 'p' });
    expect(asked).toEqual([{ representations: [sent('1'), sent('2')] }]);
    const extensions = { code: 'DOWNSTREAM_SERVICE_ERROR', serviceName: 'c' };
    expect(errors?.map((error) => error.toJSON())).toEqual([
      { message: 'sold out', path: ['products', 2, 'category', 'details'], extensions },
      { message: 'sold out', path: ['products', 4, 'category', 'details'], extensions },
    ]);
  });
});
