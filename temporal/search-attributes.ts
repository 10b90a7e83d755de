import type { Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

/** Never encrypted by codecs: routing words only. */
export const TENANT_ATTRIBUTE = defineSearchAttributeKey('WeftTenant', SearchAttributeType.KEYWORD);
export const WORKFLOW_ATTRIBUTE = defineSearchAttributeKey('WeftWorkflow', SearchAttributeType.KEYWORD);
export const VERSION_ATTRIBUTE = defineSearchAttributeKey('WeftVersion', SearchAttributeType.INT);
export const STATUS_ATTRIBUTE = defineSearchAttributeKey('WeftStatus', SearchAttributeType.KEYWORD);
/** `key=value` of each label. */
export const LABELS_ATTRIBUTE = defineSearchAttributeKey('WeftLabels', SearchAttributeType.KEYWORD_LIST);

/** temporal.api.enums.v1.IndexedValueType; the proto package's exports cannot be imported by name from ESM. */
const KEYWORD = 2;
const INT = 3;
const KEYWORD_LIST = 7;
const SEARCH_ATTRIBUTES: ReadonlyMap<string, temporal.api.enums.v1.IndexedValueType> = new Map([
  [TENANT_ATTRIBUTE.name, KEYWORD],
  [WORKFLOW_ATTRIBUTE.name, KEYWORD],
  [VERSION_ATTRIBUTE.name, INT],
  [STATUS_ATTRIBUTE.name, KEYWORD],
  [LABELS_ATTRIBUTE.name, KEYWORD_LIST],
]);

export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const known = await connection.operatorService.listSearchAttributes({ namespace });
  return [...SEARCH_ATTRIBUTES.keys()].filter((name) => !Object.hasOwn(known.customAttributes ?? {}, name));
}

/** Registers what is missing; safe to call from several processes at once. */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return [];
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries([...SEARCH_ATTRIBUTES].filter(([name]) => missing.includes(name))),
  });
  return missing;
}
