import type { FieldNode, GraphQLCompositeType, GraphQLOutputType } from 'graphql';

/** What the caller asked for at one place of the response; the fields depend on the object's type. */
export type ObjectShape = { declaredType: string; fieldsOf: (typename: string) => readonly FieldShape[] | null };

export type ValueShape = { type: GraphQLOutputType; name: string; nonNull: boolean } & (
  | { kind: 'leaf'; isValid: (value: unknown) => boolean }
  | { kind: 'list'; item: ValueShape }
  | { kind: 'object'; object: ObjectShape }
);

export type FieldShape = {
  name: string;
  /** The name is one that every JavaScript object has. */
  inherited: boolean;
  /** Where errors say the field is. */
  coordinate: string;
} & (
  | { kind: 'value'; value: ValueShape }
  | { kind: 'typename'; parentType: string }
  | { kind: 'denied'; parentType: GraphQLCompositeType; fieldName: string; nonNull: boolean }
  | { kind: 'introspection'; nodes: readonly FieldNode[] }
);
