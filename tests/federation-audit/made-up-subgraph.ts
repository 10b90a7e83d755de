import type { Subgraph } from '@apollo/federation-internals';
import {
  execute,
  type GraphQLFieldResolver,
  getNamedType,
  type GraphQLOutputType,
  GraphQLScalarType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import type { JsonObject } from '../../gateway/execute/json-value.ts';
import type { SubgraphAnswer } from '../../gateway/execute/subgraph-answer.ts';
import { chance, choice } from './chance.ts';

/** An object is what it was reached by: equal ways to it give equal values. */
type MadeUp = { __typename: string; identity: string; given: JsonObject };
export type MadeUpRequest = { query: string; variables?: Record<string, unknown> };

/**
 * Answers every query that its schema allows: with values, nulls, errors and sometimes with what no subgraph should send,
 * all of them decided by the seed and by what was asked.
 */
export function madeUpSubgraph(subgraph: Subgraph, seed: string): (request: MadeUpRequest) => Promise<SubgraphAnswer> {
  const schema = subgraph.schema.toGraphQLJSSchema();
  for (const type of Object.values(schema.getTypeMap())) {
    if (type instanceof GraphQLScalarType && type.name === '_Any') type.parseValue = (value) => value;
  }
  return async ({ query, variables = {} }) => {
    const result = await execute({
      schema,
      document: parse(query),
      variableValues: variables,
      rootValue: { __typename: '', identity: `${seed}${subgraph.name}`, given: {} } satisfies MadeUp,
      fieldResolver: resolveField(schema),
      typeResolver: (value) => (value as MadeUp).__typename,
    });
    const answer = JSON.parse(JSON.stringify(result)) as SubgraphAnswer;
    const asked = (variables['representations'] ?? []) as unknown[];
    const entities = answer.data?.['_entities'];
    if (Array.isArray(entities)) {
      answer.data = {
        _entities: entities.map((entity, index) => corrupt(entity, `${seed}${JSON.stringify(asked[index])}`)),
      };
      return answer;
    }
    return { ...answer, data: corrupt(answer.data, `${seed}${subgraph.name}`) as JsonObject };
  };
}

function resolveField(schema: GraphQLSchema): GraphQLFieldResolver<MadeUp, unknown> {
  return (source, args, _context, { fieldName, returnType }) => {
    if (fieldName === '_entities')
      return (args['representations'] as JsonObject[]).map((one) => entityOf(source, one, schema));
    const given = source.given[fieldName];
    if (given !== undefined && !isCompositeType(getNamedType(returnType))) return given;
    return madeUp(returnType, `${source.identity}.${fieldName}${JSON.stringify(args)}`, schema);
  };
}

function entityOf({ identity }: MadeUp, representation: JsonObject, schema: GraphQLSchema): MadeUp | null {
  const own = `${identity}${JSON.stringify(representation)}`;
  if (chance(own, 0.05)) return null;
  const type = schema.getType(String(representation['__typename']));
  const name = isAbstractType(type) ? choice(own, schema.getPossibleTypes(type)).name : type?.name;
  return { __typename: String(name), identity: own, given: representation };
}

function madeUp(type: GraphQLOutputType, identity: string, schema: GraphQLSchema): unknown {
  if (isNonNullType(type)) return chance(`${identity}!`, 0.01) ? null : present(type.ofType, identity, schema);
  if (chance(`${identity}?`, 0.1)) return null;
  if (chance(`${identity}#`, 0.02)) throw new Error(`No ${identity.slice(-12)} today`);
  return present(type, identity, schema);
}

function present(type: GraphQLOutputType, identity: string, schema: GraphQLSchema): unknown {
  if (isListType(type)) {
    const length = choice(`${identity}[]`, [0, 1, 2]);
    return Array.from({ length }, (_, index) => madeUp(type.ofType, `${identity}${index}`, schema));
  }
  if (isAbstractType(type)) {
    const { name } = choice(identity, schema.getPossibleTypes(type));
    return { __typename: name, identity, given: {} } satisfies MadeUp;
  }
  if (isObjectType(type)) return { __typename: type.name, identity, given: {} } satisfies MadeUp;
  if (isEnumType(type)) return choice(identity, type.getValues()).value;
  const number = choice(identity, [1, 2, 3]);
  const { name } = getNamedType(type);
  if (name === 'Boolean') return number === 1;
  return name === 'Int' || name === 'Float' ? number : String(number);
}

/** On a type name that is no text the stock executor gives up the whole answer. */
function corruptField(name: string, value: unknown, identity: string): unknown {
  if (name !== '__typename' && name !== 'kind') return corrupt(value, identity);
  return chance(`${identity}wrong`, 0.01) ? 'Nowhere' : value;
}

/** Nulls where none may be, leaves of wrong types and unknown type names, each rarely. */
function corrupt(value: unknown, identity: string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => corrupt(item, `${identity}${index}`));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, one]) => [name, corruptField(name, one, `${identity}.${name}`)]);
    return Object.fromEntries(entries);
  }
  if (value === null || chance(`${identity}null`, 0.01)) return null;
  return chance(`${identity}wrong`, 0.01) ? choice(identity, ['Nowhere', 1.5, true]) : value;
}
