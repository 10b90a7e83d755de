import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import type { Json } from '../../domain/json.ts';
import type { Completion } from '../../domain/models/activities.ts';
import type { NODE_TYPES, NodeType } from '../../domain/runs/node-types.ts';
import type { ApprovalDecision } from '../../domain/runs/run-event.ts';
import type { HttpResponse } from '../../domain/tools/activities.ts';
import type { Cel, Untyped } from './cel.ts';
import type { Reference } from './reference.ts';

/** A reference, an expression of `cel`, or CEL as a plain string, which `build()` checks. */
export type Expression<Type> = string | Reference<Type> | Cel<Type> | Cel<Untyped>;
export type MappingInput = Expression<unknown> | { readonly [key: string]: MappingInput };
/** Handlebars, of `text` or plain, or a reference that is all of it. */
export type TemplateInput = string | Reference<unknown>;

/** What the expressions of the node table have to give; it names no types for them. */
type ExpressionTypes = {
  'branch.condition': boolean;
  'content.analyze.text': string;
  'content.analyze.title': string;
  'model.complete.source': string;
};

type LiteralOf<Schema> = Schema extends { enum: readonly (infer Choice)[] }
  ? Choice
  : Schema extends { type: 'string' }
    ? string
    : Schema extends { type: 'boolean' }
      ? boolean
      : number;

type ValueOf<Field, Key extends string> = Field extends { kind: 'expression' }
  ? Expression<Key extends keyof ExpressionTypes ? ExpressionTypes[Key] : unknown>
  : Field extends { kind: 'mapping' }
    ? MappingInput
    : Field extends { kind: 'template' | 'prompt' }
      ? TemplateInput
      : Field extends { kind: 'templates' }
        ? { readonly [name: string]: TemplateInput }
        : Field extends { kind: 'number' }
          ? number | Expression<number>
          : Field extends { kind: 'literal'; schema: infer Schema }
            ? LiteralOf<Schema>
            : never;

type FieldsOf<Type extends NodeType> = (typeof NODE_TYPES)[Type]['config'];
type Required<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends { required: true } ? Name : never;
}[keyof Fields];

/** The `config` of a type, made from the node table. */
export type ConfigOf<Type extends NodeType, Fields = FieldsOf<Type>> = {
  readonly [Name in Required<Fields> & string]: ValueOf<Fields[Name], `${Type}.${Name}`>;
} & {
  readonly [Name in Exclude<keyof Fields, Required<Fields>> & string]?: ValueOf<Fields[Name], `${Type}.${Name}`>;
};

export type PortOf<Type extends NodeType> = (typeof NODE_TYPES)[Type]['ports'][number];

export type ApprovalOutput = {
  /** Null when it timed out. */
  decision: ApprovalDecision | null;
  comment: string | null;
  data: Json;
  decidedBy: string | null;
};

/** What a mapping gives; plain strings may give anything. */
export type MappedBy<Mapping> = Mapping extends string
  ? Json
  : Mapping extends Cel<infer Type>
    ? Type extends Untyped
      ? Json
      : Type
    : Mapping extends Reference<infer Type>
      ? Type
      : { [Key in keyof Mapping]: MappedBy<Mapping[Key]> };

/** What a node of a type gives. */
export type OutputOf<Type extends NodeType, Config> = Type extends 'transform'
  ? Config extends { readonly value: infer Mapping }
    ? MappedBy<Mapping>
    : Json
  : OutputsByType[Exclude<Type, 'transform'>];

type OutputsByType = {
  template: string;
  branch: boolean;
  merge: Json;
  delay: null;
  approval: ApprovalOutput;
  http: HttpResponse;
  'content.analyze': ContentAnalysis;
  'model.complete': Completion;
};
