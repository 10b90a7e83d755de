import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { demand } from '../../domain/access/allow.ts';
import {
  ENTITY_PERMISSIONS,
  FIELD_PERMISSIONS,
  operationRule,
  type Rule,
} from '../../domain/access/operation-permissions.ts';
import { AppError } from '../../domain/errors.ts';
import { checkDeadline } from '../http/request-deadline.ts';
import type { OperationWatch } from './limit-requests.ts';
import type { Principal } from './principal.ts';

type Context = { principal: Principal; deadline?: number | undefined };
type Resolver = GraphQLFieldResolver<unknown, Context>;
type Check = (principal: Principal, args: Record<string, unknown>) => void | Promise<void>;

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

/**
 * Puts the permission of the table before every resolver that has one, and the limits of `watch` before every operation.
 * @throws OPERATION_UNDECLARED for a missing row
 */
export function enforcePermissions(schema: GraphQLSchema, watch?: OperationWatch): GraphQLSchema {
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (root) guardRoot(root, watch);
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

function guardRoot(root: GraphQLObjectType, watch: OperationWatch | undefined): void {
  for (const field of Object.values(root.getFields())) {
    const check = FEDERATION_FIELDS[field.name] ?? declared(root.name, field.name, watch);
    field.resolve = guarded(field.resolve, check);
    if (field.subscribe) field.subscribe = guarded(field.subscribe, check);
  }
}

function declared(root: string, field: string, watch: OperationWatch | undefined): Check {
  const rule = operationRule(field);
  if (rule === undefined) throw new AppError('OPERATION_UNDECLARED', { operation: `${root}.${field}` });
  const check = needs(rule, field);
  if (!watch) return check;
  return async (principal, args) => {
    await watch.admit(principal, field);
    try {
      await check(principal, args);
    } catch (error) {
      watch.refused(principal, field, rule);
      throw error;
    }
  };
}

const needs =
  (rule: Rule, what: string): Check =>
  (principal) =>
    demand(principal, rule, what);

function guarded(resolve: Resolver | undefined, check: Check): Resolver {
  const original = resolve ?? (defaultFieldResolver as Resolver);
  return (source, args, context, info) => {
    checkDeadline(context.deadline);
    const checked = check(context.principal, args);
    if (checked === undefined) return original(source, args, context, info);
    return checked.then(() => {
      checkDeadline(context.deadline);
      return original(source, args, context, info);
    });
  };
}

function entityNames(schema: GraphQLSchema): string[] {
  const union = schema.getType('_Entity');
  return union && 'getTypes' in union ? union.getTypes().map((type) => type.name) : [];
}
