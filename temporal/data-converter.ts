import { fileURLToPath } from 'node:url';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import type { Settings } from '../config/settings.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createChildLinkCodec } from './child-webhook-links.ts';
import { createDefinitionCodec, type DefinitionSource } from './definition-codec.ts';
import { createPayloadCodec } from './payload-codec.ts';
import { createEncryptionCodec } from './payload-encryption.ts';
import type { LinkSettings } from './webhook-links.ts';

export const payloadConverterPath = fileURLToPath(import.meta.resolve('./payload-converter.ts'));
/** For the bundle of workflows. */
export const workflowFailureConverterPath = fileURLToPath(import.meta.resolve('./workflow-failure-converter.ts'));
const encodingFailureConverterPath = fileURLToPath(import.meta.resolve('./encoding-failure-converter.ts'));

type PayloadSettings = Pick<Settings, 'WEFT_PAYLOAD_INLINE_BYTES'>;
/** What child runs are given: the definition behind a hash, and by those who start them, which a replay does not, links. */
export type ChildRuns = { definitions: DefinitionSource; links?: LinkSettings };

/**
 * The same for clients, workers and replay. With a key everything that goes to Temporal is encrypted but names, ids and search
 * attributes; messages and stacks of failures are encoded so that they are too.
 * `children` is for workers.
 */
export function createDataConverter(
  settings: PayloadSettings,
  store: PayloadStore,
  children: ChildRuns | null = null,
): DataConverter {
  return {
    payloadConverterPath,
    ...(store.cipher === null ? {} : { failureConverterPath: encodingFailureConverterPath }),
    payloadCodecs: [
      ...(children
        ? [
            ...(children.links ? [createChildLinkCodec(children.links, children.definitions)] : []),
            createDefinitionCodec(children.definitions),
          ]
        : []),
      ...createPayloadCodecs(settings, store),
    ],
  };
}

/** In the order of encoding. */
export function createPayloadCodecs(settings: PayloadSettings, store: PayloadStore): PayloadCodec[] {
  const limits = { inlineBytes: settings.WEFT_PAYLOAD_INLINE_BYTES };
  return [createPayloadCodec(store, limits), createEncryptionCodec(store.cipher)];
}
