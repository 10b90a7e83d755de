import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
} from 'graphql';
import { chance, choice } from './chance.ts';

export type RandomQuery = { query: string; variables: Record<string, boolean> };

const DEEPEST = 4;

/** A valid query that the seed decides: with aliases, fragments of both kinds, conditions and type names. */
export function randomQuery(schema: GraphQLSchema, seed: string): RandomQuery {
  const fragments: string[] = [];
  const draw: Draw = { schema, fragments, next: 0, seed };
  const body = selections(schema.getQueryType() as GraphQLCompositeType, 0, draw);
  const uses = (name: string) => `${body}${fragments.join()}`.includes(`$${name}`);
  const variables = ['yes', 'no', 'usual'].filter(uses);
  const types: Record<string, string> = { yes: 'Boolean!', no: 'Boolean!', usual: 'Boolean! = true' };
  const head = variables.map((name) => `$${name}: ${types[name]}`).join(', ');
  return {
    query: `query${head && ` (${head})`} ${body} ${fragments.join(' ')}`,
    variables: Object.fromEntries(variables.filter((name) => name !== 'usual').map((name) => [name, name === 'yes'])),
  };
}

type Draw = { schema: GraphQLSchema; fragments: string[]; next: number; seed: string };

const key = (draw: Draw): string => `${draw.seed}:${draw.next++}`;

function selections(type: GraphQLCompositeType, depth: number, draw: Draw): string {
  const parts: string[] = [];
  if (chance(key(draw), 0.2)) parts.push(chance(key(draw), 0.3) ? 'kind: __typename' : '__typename');
  if ('getFields' in type) parts.push(...fields(type.getFields(), depth, draw));
  if (!isObjectType(type) || chance(key(draw), 0.1)) parts.push(...fragmentsOn(type, depth, draw));
  return `{ ${parts.length > 0 ? parts.join(' ') : '__typename'} }`;
}

function fields(all: Record<string, GraphQLField<unknown, unknown>>, depth: number, draw: Draw): string[] {
  const wanted = Object.values(all).filter((field) => {
    const composite = isCompositeType(getNamedType(field.type));
    return composite ? depth < DEEPEST && chance(key(draw), depth === 0 ? 0.4 : 0.55) : chance(key(draw), 0.6);
  });
  return wanted.map((field) => {
    const type = getNamedType(field.type);
    // Aliases by the field's whole type, so that fields of one alias always merge.
    const alias = chance(key(draw), 0.15) ? `${field.name}_${String(field.type).replace(/\W/g, '')}: ` : '';
    const args = field.args.filter(isRequiredArgument).map(({ name, type: input }) => `${name}: ${literal(input)}`);
    const inner = isCompositeType(type) ? ` ${selections(type, depth + 1, draw)}` : '';
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${condition(draw)}${inner}`;
  });
}

function fragmentsOn(type: GraphQLCompositeType, depth: number, draw: Draw): string[] {
  if (depth >= DEEPEST) return [];
  return conditionsOf(type, draw.schema)
    .filter(() => chance(key(draw), 0.5))
    .map((on) => {
      const inner = selections(on, depth + 1, draw);
      if (chance(key(draw), 0.7)) return `... on ${on.name}${condition(draw)} ${inner}`;
      const name = `F${draw.fragments.length}`;
      draw.fragments.push(`fragment ${name} on ${on.name} ${inner}`);
      return `...${name}${condition(draw)}`;
    });
}

function conditionsOf(type: GraphQLCompositeType, schema: GraphQLSchema): GraphQLCompositeType[] {
  if (isObjectType(type)) return [...type.getInterfaces()];
  const possible = schema.getPossibleTypes(type);
  const around = possible.flatMap((one) => one.getInterfaces());
  return [...new Set([...possible, ...around])].filter(
    (one) => isObjectType(one) || isInterfaceType(one) || isUnionType(one),
  );
}

function condition(draw: Draw): string {
  if (!chance(key(draw), 0.08)) return '';
  const value = choice(key(draw), ['true', 'false', '$yes', '$no', '$usual']);
  return ` @${choice(key(draw), ['skip', 'include'])}(if: ${value})`;
}

function literal(type: GraphQLInputType): string {
  const inner = getNullableType(type);
  if (isListType(inner)) return `[${literal(inner.ofType)}]`;
  if (isEnumType(inner)) return inner.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(inner)) {
    const required = Object.values(inner.getFields()).filter(isRequiredInputField);
    return `{ ${required.map((field) => `${field.name}: ${literal(field.type)}`).join(', ')} }`;
  }
  return ({ Boolean: 'true', Int: '1', Float: '1.5' } as Record<string, string>)[getNamedType(inner).name] ?? '"1"';
}
