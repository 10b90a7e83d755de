import {
  type ConstDirectiveNode,
  type ConstListValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type NameNode,
  visit,
} from 'graphql';
import { FIELD_PERMISSIONS, operationRule, type Rule } from '../../domain/access/operation-permissions.ts';
import { AppError } from '../../domain/errors.ts';

const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);
const FEDERATION = 'https://specs.apollo.dev/federation/';
const SCOPES = 'requiresScopes';
const AUTHENTICATED = 'authenticated';

/**
 * The SDL of a subgraph with the permission of each operation as a directive; those that are not ours can be left without one.
 * @throws OPERATION_UNDECLARED
 */
export function declarePermissions(sdl: DocumentNode, undeclared: 'refuse' | 'leave' = 'refuse'): DocumentNode {
  const declare = <Type extends { name: NameNode; fields?: readonly FieldDefinitionNode[] | undefined }>(
    type: Type,
  ) => ({
    ...type,
    fields: type.fields?.map((field) => withRule(field, ruleOf(type.name.value, field.name.value, undeclared))),
  });
  return visit(sdl, {
    ObjectTypeDefinition: declare,
    ObjectTypeExtension: declare,
    SchemaExtension: (schema) => ({ ...schema, directives: schema.directives?.map(importBoth) }),
  });
}

function ruleOf(type: string, field: string, undeclared: string): Rule | undefined {
  if (!ROOTS.has(type)) return FIELD_PERMISSIONS[`${type}.${field}`];
  const rule = operationRule(field);
  if (rule === undefined && undeclared === 'refuse')
    throw new AppError('OPERATION_UNDECLARED', { operation: `${type}.${field}` });
  return rule;
}

function withRule(field: FieldDefinitionNode, rule: Rule | undefined): FieldDefinitionNode {
  if (rule === undefined || rule === 'public') return field;
  return { ...field, directives: [...(field.directives ?? []), directiveOf(rule)] };
}

function directiveOf(rule: Exclude<Rule, 'public'>): ConstDirectiveNode {
  if (rule === 'authenticated') return { kind: Kind.DIRECTIVE, name: nameOf(AUTHENTICATED) };
  const value = list([list([{ kind: Kind.STRING, value: rule }])]);
  return {
    kind: Kind.DIRECTIVE,
    name: nameOf(SCOPES),
    arguments: [{ kind: Kind.ARGUMENT, name: nameOf('scopes'), value }],
  };
}

/** A directive of federation counts only where the link to it imports it. */
function importBoth(link: ConstDirectiveNode): ConstDirectiveNode {
  const values = new Map((link.arguments ?? []).map((argument) => [argument.name.value, argument]));
  const url = values.get('url')?.value;
  if (link.name.value !== 'link' || url?.kind !== Kind.STRING || !url.value.startsWith(FEDERATION)) return link;
  const imports = values.get('import')?.value;
  const others = imports?.kind === Kind.LIST ? imports.values : [];
  const ours = [AUTHENTICATED, SCOPES].map((name) => ({ kind: Kind.STRING as const, value: `@${name}` }));
  const value = list([...others, ...ours]);
  const kept = (link.arguments ?? []).filter((argument) => argument.name.value !== 'import');
  return { ...link, arguments: [...kept, { kind: Kind.ARGUMENT, name: nameOf('import'), value }] };
}

const nameOf = (value: string): NameNode => ({ kind: Kind.NAME, value });
const list = (values: ConstListValueNode['values']): ConstListValueNode => ({ kind: Kind.LIST, values });
