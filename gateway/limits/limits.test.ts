import { describe, expect, it } from '@jest/globals';
import { buildSchema, type OperationDefinitionNode, parse } from 'graphql';
import { costRules } from './cost-rules.ts';
import { measureDocument } from './measure-operation.ts';
import { compileCost } from './operation-cost.ts';

const SDL = `
  directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT | ARGUMENT_DEFINITION
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
  type Query {
    users(first: Int = 20): Users
    top(max: Int): [User!] @listSize(slicingArguments: ["max"])
    all: [User!] @listSize(assumedSize: 500)
    paged(take: Int): Users @listSize(slicingArguments: ["take"], sizedFields: ["edges"])
    search(text: String @cost(weight: "7")): [User!] @cost(weight: "50")
    unsaid: [User!]
  }
  type Users { edges: [Edge!] others: [User!] total: Int }
  type Edge { node: User }
  type User { name: String friends: [User!] photo: Photo }
  type Photo @cost(weight: "10") { url: String }`;

describe('the size of an operation', () => {
  it('counts depth, fields, aliases, fields at the root and directives, fragments as often as they are spread', () => {
    const document = parse(`query ($yes: Boolean!) @a { x: one { ...F ...F } two @include(if: $yes) }
      fragment F on T { y: three { four } }`);
    expect(measureDocument(document)).toEqual({ depth: 3, fields: 6, aliases: 3, rootFields: 2, directives: 2 });
  });

  it('takes no longer for fragments that double with every level', () => {
    const levels = Array.from({ length: 60 }, (_, at) => `fragment F${at} on T { a ...F${at + 1} ...F${at + 1} }`);
    const { fields } = measureDocument(parse(`{ ...F0 } ${levels.join(' ')} fragment F60 on T { a }`));
    expect(fields).toBeGreaterThan(2 ** 52);
    expect(measureDocument(parse('{ ...A } fragment A on T { x { ...A } }')).depth).toBe(1);
  });
});

describe('the cost of an operation', () => {
  it('is one for each object, as often as lists are long', () => {
    expect(costOf('{ __typename }')).toBe(0);
    expect(costOf('{ users(first: 100) { total } }')).toBe(1);
    expect(costOf('{ users(first: 100) { edges { node { name } } } }')).toBe(1 + 100 * 2);
    expect(costOf('{ users { edges { node { name } } } }')).toBe(1 + 20 * 2);
    expect(costOf('{ unsaid { friends { name } } }')).toBe(10 * (1 + 10));
  });

  it('follows @listSize: slicing arguments, sized fields, assumed sizes', () => {
    expect(costOf('{ top(max: 7) { name } }')).toBe(7);
    expect(costOf('{ all { name } }')).toBe(500);
    expect(costOf('{ paged(take: 3) { edges { node { name } } others { name } } }')).toBe(1 + 3 * 2 + 10);
  });

  it('follows @cost of fields, arguments and types', () => {
    expect(costOf('{ search(text: "a") { name } }')).toBe(50 + 7 + 10);
    expect(costOf('{ top(max: 2) { photo { url } } }')).toBe(2 * (1 + 10));
  });

  it('takes the values of variables, and their defaults', () => {
    const query =
      'query ($first: Int = 4) { users(first: $first) { edges { node { ...F } } } } fragment F on User { name }';
    expect(costOf(query, { first: 50 })).toBe(1 + 50 * 2);
    expect(costOf(query)).toBe(1 + 4 * 2);
    expect(costOf('{ top(max: -5) { name } }')).toBe(0);
  });
});

function costOf(query: string, variables = {}): number {
  const document = parse(query);
  const operation = document.definitions[0] as OperationDefinitionNode;
  return compileCost({ schema: buildSchema(SDL), rules: costRules(SDL), listSize: 10 }, document, operation)(variables);
}
