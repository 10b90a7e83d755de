import type { Json } from '../json.ts';
import type { JsonSchema } from './definition.ts';
import {
  BOOL,
  DYN,
  listOf,
  NULL,
  nullable,
  NUMBER,
  objectOf,
  STRING,
  typeOfSchema,
  type ValueType,
} from './expression-types.ts';

export const ERROR_TYPE = objectOf({ code: STRING, message: STRING, nodeId: nullable(STRING), hint: nullable(STRING) });

const CONCEPT = objectOf({ name: STRING, relevance: NUMBER, mentions: NUMBER, related: listOf(STRING) });
const ANALYSIS = objectOf({
  title: nullable(STRING),
  language: nullable(STRING),
  words: NUMBER,
  sentences: NUMBER,
  readingTimeMs: NUMBER,
  keywords: listOf(objectOf({ text: STRING, score: NUMBER })),
  concepts: listOf(CONCEPT),
  sentiment: nullable(objectOf({ label: STRING, score: NUMBER })),
  readability: nullable(objectOf({ fleschReadingEase: NUMBER, fleschKincaidGrade: NUMBER })),
  difficulty: nullable(STRING),
  summary: listOf(STRING),
});
const USAGE = nullable(
  objectOf({
    inputTokens: NUMBER,
    outputTokens: NUMBER,
    cacheReadTokens: NUMBER,
    cacheWriteTokens: NUMBER,
    reasoningTokens: NUMBER,
  }),
);
const SKIPPED = objectOf({ provider: STRING, model: STRING, code: STRING, detail: STRING });
const COMPLETION = {
  text: STRING,
  provider: STRING,
  model: STRING,
  finishReason: STRING,
  usage: USAGE,
  costMicroUsd: NUMBER,
  skipped: listOf(SKIPPED),
};
const TOOL_CALL = objectOf({ type: STRING, id: STRING, name: STRING, input: DYN });
const REASONING = objectOf({ type: STRING, text: STRING });
const EMBEDDINGS = objectOf({
  embeddings: listOf(listOf(NUMBER)),
  dimensions: NUMBER,
  provider: STRING,
  model: STRING,
  usage: USAGE,
  costMicroUsd: NUMBER,
});
const RESPONSE = objectOf({ status: NUMBER, headers: objectOf({}, STRING), body: DYN, url: STRING });

const TOOL_RESULT = objectOf({ text: STRING, content: listOf(DYN), structured: DYN, isError: BOOL });

const FIXED: Readonly<Record<string, ValueType>> = {
  template: STRING,
  branch: BOOL,
  switch: objectOf({ port: STRING }),
  delay: NULL,
  until: NULL,
  emit: objectOf({ id: STRING }),
  http: RESPONSE,
  'content.analyze': ANALYSIS,
  'model.embed': EMBEDDINGS,
  'tool.call': TOOL_RESULT,
};

const schemaOf = (schema: Json | undefined): ValueType => typeOfSchema(schema as JsonSchema | undefined);

/** What nodes of a type give where that follows from the type and its literals alone; `dyn` where nothing is known. */
export function outputOfType(type: string, config: { readonly [name: string]: Json }): ValueType {
  switch (type) {
    case 'approval': {
      const data = nullable(schemaOf(config['form']));
      const answer = { decision: nullable(STRING), comment: nullable(STRING), data, decidedBy: nullable(STRING) };
      return objectOf({ ...answer, answers: listOf(objectOf(answer)) });
    }
    case 'wait': {
      const event = { id: STRING, name: STRING, correlation: nullable(STRING), data: schemaOf(config['schema']) };
      return config['atOnce'] === true ? objectOf({ events: listOf(objectOf(event)) }) : nullable(objectOf(event));
    }
    case 'webhook':
      return nullable(objectOf({ data: schemaOf(config['schema']) }));
    case 'model.complete':
      return objectOf({
        ...COMPLETION,
        reasoning: listOf(REASONING),
        ...(config['schema'] === undefined ? {} : { object: schemaOf(config['schema']) }),
        ...(config['tools'] === undefined ? {} : { toolCalls: listOf(TOOL_CALL) }),
      });
    default:
      return Object.hasOwn(FIXED, type) ? (FIXED[type] as ValueType) : DYN;
  }
}
