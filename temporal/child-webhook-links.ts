import type { Payload, PayloadCodec } from '@temporalio/common';
import type { DefinitionArgument, DefinitionHashArgument, RunArguments } from '../domain/runs/messages.ts';
import type { DefinitionSource } from './definition-codec.ts';
import { payloadConverter } from './payload-converter.ts';
import { type LinkSettings, webhookLinksOf } from './webhook-links.ts';

const ADDRESSED = Buffer.from('"addressedTo"');

/**
 * Gives child runs the links of their webhook nodes: the workflow that starts them has no key to sign with. They are in the history
 * from then on, so a replay reads the same. Without a key there are none, and an expression that reads one fails.
 */
export function createChildLinkCodec(settings: LinkSettings, definitions: DefinitionSource): PayloadCodec {
  const linksOf = settings.WEFT_SECRET_KEY.length === 0 ? null : webhookLinksOf(settings);
  return {
    async encode(payloads) {
      const [first, second] = payloads;
      if (linksOf === null || payloads.length !== 2 || !first?.data || !second?.data) return payloads;
      if (Buffer.from(first.data).indexOf(ADDRESSED) < 0) return payloads;
      const { addressedTo, ...given } = valueOf<RunArguments>(first);
      const webhooks = addressedTo === undefined ? null : linksOf(addressedTo, await definitionOf(second, definitions));
      return webhooks === null ? payloads : [payloadConverter.toPayload({ ...given, webhooks }), second];
    },
    decode: (payloads) => Promise.resolve(payloads),
  };
}

async function definitionOf(payload: Payload, definitions: DefinitionSource) {
  const given = valueOf<DefinitionArgument | DefinitionHashArgument>(payload);
  if ('weftDefinition' in given) return given.weftDefinition;
  return (await definitions(given.weftDefinitionHash)) ?? { name: '', nodes: [], edges: [] };
}

const valueOf = <Value>(payload: Payload): Value =>
  JSON.parse(new TextDecoder().decode(payload.data ?? new Uint8Array())) as Value;
