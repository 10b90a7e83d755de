import {
  type ConstDirectiveNode,
  type ConstListValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type NameNode,
  visit,
} from 'graphql';
import { FIELD_PERMISSIONS, operationPermission } from '../../domain/access/operation-permissions.ts';
import type { Permission } from '../../domain/access/permission.ts';
import { AppError } from '../../domain/errors.ts';

const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);
const FEDERATION = 'https://specs.apollo.dev/federation/';
const DIRECTIVE = 'requiresScopes';

/** The SDL of a subgraph with the permission of each operation as a directive. @throws OPERATION_UNDECLARED */
export function declarePermissions(sdl: DocumentNode): DocumentNode {
  const declare = <Type extends { name: NameNode; fields?: readonly FieldDefinitionNode[] | undefined }>(
    type: Type,
  ) => ({
    ...type,
    fields: type.fields?.map((field) => withScopes(field, permissionOf(type.name.value, field.name.value))),
  });
  return visit(sdl, {
    ObjectTypeDefinition: declare,
    ObjectTypeExtension: declare,
    SchemaExtension: (schema) => ({ ...schema, directives: schema.directives?.map(importScopes) }),
  });
}

function permissionOf(type: string, field: string): Permission | undefined {
  if (!ROOTS.has(type)) return FIELD_PERMISSIONS[`${type}.${field}`];
  const permission = operationPermission(field);
  if (permission === undefined) throw new AppError('OPERATION_UNDECLARED', { operation: `${type}.${field}` });
  return permission;
}

function withScopes(field: FieldDefinitionNode, permission: Permission | undefined): FieldDefinitionNode {
  if (permission === undefined) return field;
  const scopes = list([list([{ kind: Kind.STRING, value: permission }])]);
  const directive: ConstDirectiveNode = {
    kind: Kind.DIRECTIVE,
    name: nameOf(DIRECTIVE),
    arguments: [{ kind: Kind.ARGUMENT, name: nameOf('scopes'), value: scopes }],
  };
  return { ...field, directives: [...(field.directives ?? []), directive] };
}

/** A directive of federation counts only where the link to it imports it. */
function importScopes(link: ConstDirectiveNode): ConstDirectiveNode {
  const values = new Map((link.arguments ?? []).map((argument) => [argument.name.value, argument]));
  const url = values.get('url')?.value;
  if (link.name.value !== 'link' || url?.kind !== Kind.STRING || !url.value.startsWith(FEDERATION)) return link;
  const imports = values.get('import')?.value;
  const others = imports?.kind === Kind.LIST ? imports.values : [];
  const value = list([...others, { kind: Kind.STRING, value: `@${DIRECTIVE}` }]);
  const kept = (link.arguments ?? []).filter((argument) => argument.name.value !== 'import');
  return { ...link, arguments: [...kept, { kind: Kind.ARGUMENT, name: nameOf('import'), value }] };
}

const nameOf = (value: string): NameNode => ({ kind: Kind.NAME, value });
const list = (values: ConstListValueNode['values']): ConstListValueNode => ({ kind: Kind.LIST, values });
