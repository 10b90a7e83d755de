import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { demand } from '../../domain/access/allow.ts';
import {
  ENTITY_PERMISSIONS,
  FIELD_PERMISSIONS,
  operationRule,
  type Rule,
} from '../../domain/access/operation-permissions.ts';
import { AppError } from '../../domain/errors.ts';
import type { Principal } from './principal.ts';

type Context = { principal: Principal };
type Resolver = GraphQLFieldResolver<unknown, Context>;
type Check = (principal: Principal, args: Record<string, unknown>) => void;

/** Fields that federation adds: the SDL is for composers, entities are checked one by one. */
const FEDERATION_FIELDS: Readonly<Record<string, Check>> = {
  _service: () => undefined,
  _entities: (principal, { representations }) => {
    for (const { __typename: type } of representations as { __typename: string }[]) {
      const permission = ENTITY_PERMISSIONS[type];
      if (permission === undefined) throw new AppError('OPERATION_UNDECLARED', { operation: `entity ${type}` });
      demand(principal, permission, type);
    }
  },
};

/** Puts the permission of the table before every resolver that has one. @throws OPERATION_UNDECLARED for a missing row */
export function enforcePermissions(schema: GraphQLSchema): GraphQLSchema {
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (root) guardRoot(root);
  }
  for (const [place, permission] of Object.entries(FIELD_PERMISSIONS)) {
    const [typeName = '', fieldName = ''] = place.split('.');
    const type = schema.getType(typeName);
    const field = type && 'getFields' in type ? (type as GraphQLObjectType).getFields()[fieldName] : undefined;
    if (field) field.resolve = guarded(field.resolve, needs(permission, place));
  }
  for (const type of entityNames(schema)) {
    if (ENTITY_PERMISSIONS[type] === undefined) {
      throw new AppError('OPERATION_UNDECLARED', { operation: `entity ${type}` });
    }
  }
  return schema;
}

function guardRoot(root: GraphQLObjectType): void {
  for (const field of Object.values(root.getFields())) {
    const check = FEDERATION_FIELDS[field.name] ?? declared(root.name, field.name);
    field.resolve = guarded(field.resolve, check);
    if (field.subscribe) field.subscribe = guarded(field.subscribe, check);
  }
}

function declared(root: string, field: string): Check {
  const rule = operationRule(field);
  if (rule === undefined) throw new AppError('OPERATION_UNDECLARED', { operation: `${root}.${field}` });
  return needs(rule, field);
}

const needs =
  (rule: Rule, what: string): Check =>
  (principal) =>
    demand(principal, rule, what);

function guarded(resolve: Resolver | undefined, check: Check): Resolver {
  const original = resolve ?? (defaultFieldResolver as Resolver);
  return (source, args, context, info) => {
    check(context.principal, args);
    return original(source, args, context, info);
  };
}

function entityNames(schema: GraphQLSchema): string[] {
  const union = schema.getType('_Entity');
  return union && 'getTypes' in union ? union.getTypes().map((type) => type.name) : [];
}
