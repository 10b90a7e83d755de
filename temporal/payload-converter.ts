import {
  CompositePayloadConverter,
  JsonPayloadConverter,
  type Payload,
  type PayloadConverterWithEncoding,
  UndefinedPayloadConverter,
} from '@temporalio/common';

/** Metadata that asks the codec to send this payload by its hash however small it is. */
export const BY_REFERENCE_KEY = 'weft-by-reference';

/** Definitions are immutable and shared by many runs, so they always travel by hash. */
class DefinitionPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = 'json/plain+definition';
  readonly #json = new JsonPayloadConverter();

  toPayload(value: unknown): Payload | undefined {
    if (typeof value !== 'object' || value === null || !('weftDefinition' in value)) return undefined;
    const payload = this.#json.toPayload(value);
    return payload && { ...payload, metadata: { ...payload.metadata, [BY_REFERENCE_KEY]: ONE } };
  }

  fromPayload<T>(payload: Payload): T {
    return this.#json.fromPayload<T>(payload);
  }
}

const ONE = new Uint8Array([49]);

/** Metadata of a definition that is named by its hash alone. */
export const DEFINITION_HASH_KEY = 'weft-definition-hash';

class DefinitionHashPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = 'json/plain+definition-hash';
  readonly #json = new JsonPayloadConverter();

  toPayload(value: unknown): Payload | undefined {
    if (typeof value !== 'object' || value === null || !('weftDefinitionHash' in value)) return undefined;
    const payload = this.#json.toPayload(value);
    return payload && { ...payload, metadata: { ...payload.metadata, [DEFINITION_HASH_KEY]: ONE } };
  }

  fromPayload<T>(payload: Payload): T {
    return this.#json.fromPayload<T>(payload);
  }
}

/** Loaded by path into the workflow sandbox too, so it may import @temporalio/common alone. */
export const payloadConverter = new CompositePayloadConverter(
  new UndefinedPayloadConverter(),
  new DefinitionPayloadConverter(),
  new DefinitionHashPayloadConverter(),
  new JsonPayloadConverter(),
);
