import type { Payload, PayloadCodec } from '@temporalio/common';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { AppError } from '../domain/errors.ts';
import { DEFINITION_HASH_KEY, payloadConverter } from './payload-converter.ts';

export type DefinitionSource = (hash: string) => Promise<WorkflowDefinition | undefined>;

/** A run that starts another knows only the hash of its definition; the definition is put in where the other run reads it. */
export function createDefinitionCodec(definitions: DefinitionSource): PayloadCodec {
  return {
    encode: (payloads) => Promise.resolve(payloads),
    decode: (payloads) => Promise.all(payloads.map((payload) => withDefinition(payload, definitions))),
  };
}

async function withDefinition(payload: Payload, definitions: DefinitionSource): Promise<Payload> {
  if (!payload.metadata?.[DEFINITION_HASH_KEY]) return payload;
  const { weftDefinitionHash: hash } = JSON.parse(new TextDecoder().decode(payload.data ?? new Uint8Array())) as {
    weftDefinitionHash: string;
  };
  const weftDefinition = await definitions(hash);
  if (weftDefinition === undefined) throw new AppError('NOT_FOUND', { what: 'Definition', id: hash });
  return payloadConverter.toPayload({ weftDefinition });
}
