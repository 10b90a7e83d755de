import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import type { Json } from '../../domain/json.ts';
import type { Completion, Embeddings, MediaInput, ModelChoice } from '../../domain/models/activities.ts';
import type { Message, ToolChoice } from '../../domain/models/message.ts';
import type { NODE_TYPES, NodeType } from '../../domain/runs/node-types.ts';
import type { ApprovalDecision } from '../../domain/runs/run-event.ts';
import type { HttpResponse, ToolResult } from '../../domain/tools/activities.ts';
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
  'approval.assignees': readonly string[];
  'until.at': string | number;
  'map.items': readonly unknown[];
  'content.analyze.text': string;
  'content.analyze.title': string;
  'model.complete.source': string;
  'model.complete.messages': readonly Message[];
  'model.complete.images': readonly MediaInput[];
  'model.complete.files': readonly MediaInput[];
  'model.embed.texts': string | readonly string[];
};

/** Literals that are more than one value. */
type StructuredLiterals = {
  'approval.escalation': readonly { readonly afterMs: number; readonly assignees: readonly string[] }[];
  'approval.form': JSONSchema;
  'wait.schema': JSONSchema;
  'webhook.schema': JSONSchema;
  'model.complete.schema': JSONSchema;
  'model.complete.models': readonly ModelChoice[];
  'model.complete.tools': readonly {
    readonly name: string;
    readonly description?: string;
    readonly parameters: JSONSchema;
  }[];
  'model.complete.toolChoice': ToolChoice;
  'model.complete.stop': readonly string[];
};

type LiteralOf<Schema> = Schema extends { enum: readonly (infer Choice)[] }
  ? Choice
  : Schema extends { type: 'string' }
    ? string
    : Schema extends { type: 'boolean' }
      ? boolean
      : number;

export type SwitchCase = { readonly port: string; readonly when: Expression<boolean> };

type ValueOf<Field, Key extends string> = Key extends keyof StructuredLiterals
  ? StructuredLiterals[Key]
  : Field extends { kind: 'expression' }
    ? Expression<Key extends keyof ExpressionTypes ? ExpressionTypes[Key] : unknown>
    : Field extends { kind: 'mapping' }
      ? MappingInput
      : Field extends { kind: 'template' | 'prompt' }
        ? TemplateInput
        : Field extends { kind: 'templates' }
          ? { readonly [name: string]: TemplateInput }
          : Field extends { kind: 'number' }
            ? number | Expression<number>
            : Field extends { kind: 'cases' }
              ? readonly SwitchCase[]
              : Field extends { kind: 'literal'; schema: infer Schema }
                ? LiteralOf<Schema>
                : never;

type FieldsOf<Type extends NodeType> = (typeof NODE_TYPES)[Type]['config'];
type Required<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends { required: true } ? Name : never;
}[keyof Fields];
/** Read inside of a body, so that the body's builder says them. */
type InBody<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends { scope: 'body' } ? Name : never;
}[keyof Fields];

/** The `config` of a type, made from the node table. */
export type ConfigOf<Type extends NodeType, Fields = FieldsOf<Type>> = {
  readonly [Name in Exclude<Required<Fields>, InBody<Fields>> & string]: ValueOf<Fields[Name], `${Type}.${Name}`>;
} & {
  readonly [Name in Exclude<keyof Fields, Required<Fields> | InBody<Fields>> & string]?: ValueOf<
    Fields[Name],
    `${Type}.${Name}`
  >;
};

/** Containers have methods of their own, as they have a body. */
export type ContainerType = 'map' | 'loop' | 'try';
export type PlainType = Exclude<NodeType, ContainerType>;
/** Types whose nodes can undo others. */
export type ActivityType = {
  [Type in NodeType]: (typeof NODE_TYPES)[Type]['class'] extends 'activity' ? Type : never;
}[NodeType];

type CasePort<Config> = Config extends { readonly cases: readonly { readonly port: infer Port }[] }
  ? Port & string
  : never;

/** The ports that edges may leave a node by. */
export type PortsOf<Type extends NodeType, Config, OnError> =
  | (Type extends 'note' ? never : (typeof NODE_TYPES)[Type]['ports'][number])
  | (Type extends 'switch' ? CasePort<Config> : never)
  | (OnError extends 'route' ? 'error' : never);

export type ApprovalOutput<Data = Json> = {
  /** Null when it timed out. */
  decision: ApprovalDecision | null;
  comment: string | null;
  data: Data;
  decidedBy: string | null;
  /** Each of them, where there were several. */
  answers?: { decision: ApprovalDecision; comment: string | null; data: Data; decidedBy: string | null }[];
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

/** The element of a list given by an expression. */
export type ElementOf<Given> =
  MappedBy<Given> extends infer List ? (List extends readonly (infer Element)[] ? Element : Json) : never;

type SchemaOf<Config, Field extends string> = Config extends {
  readonly [Name in Field]: infer Schema extends JSONSchema;
}
  ? FromSchema<Schema>
  : Json;

/** What a node of a type gives. */
export type OutputOf<Type extends PlainType, Config> = Type extends 'transform'
  ? Config extends { readonly value: infer Mapping }
    ? MappedBy<Mapping>
    : Json
  : Type extends 'set'
    ? Config extends { readonly values: infer Values }
      ? MappedBy<Values>
      : Json
    : Type extends 'switch'
      ? { port: CasePort<Config> | 'default' }
      : Type extends 'approval'
        ? ApprovalOutput<SchemaOf<Config, 'form'>>
        : Type extends 'wait'
          ? { id: string; name: string; correlation: string | null; data: SchemaOf<Config, 'schema'> }
          : Type extends 'webhook'
            ? { data: SchemaOf<Config, 'schema'> }
            : Type extends 'model.complete'
              ? CompletionOf<Config>
              : Type extends keyof OutputsByType
                ? OutputsByType[Type]
                : Json;

/** With a schema there is an object. */
type CompletionOf<Config> = Config extends { readonly schema: JSONSchema }
  ? Omit<Completion, 'object'> & { object: SchemaOf<Config, 'schema'> }
  : Completion;

type OutputsByType = {
  template: string;
  branch: boolean;
  delay: null;
  until: null;
  fail: never;
  note: never;
  emit: { id: string };
  http: HttpResponse;
  'content.analyze': ContentAnalysis;
  'model.embed': Embeddings;
  'tool.call': ToolResult;
};
