import type { TenantId, WorkflowId } from '../../identifiers.ts';
import type { Mapping } from '../definition.ts';

/** A secret as it is stored. */
export type WebhookSecret = {
  sealed: string;
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339; null for the one that is there to stay. */
  expiresAt: string | null;
};

/** An address at which signed messages start runs. */
export type WebhookRecord = {
  id: string;
  tenantId: TenantId;
  name: string;
  workflowId: WorkflowId;
  /** Null: the latest when a message comes. */
  version: number | null;
  /** CEL over body, headers, query and webhook; null gives the body. */
  mapping: Mapping | null;
  /** Newest first; at most two are valid at a time. */
  secrets: WebhookSecret[];
  enabled: boolean;
  createdAt: Date;
  updatedAt: Date;
};

export function validSecrets(secrets: readonly WebhookSecret[], now: number): WebhookSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > now);
}

/** The new one in front; the one before stays valid for a while, any older is gone. */
export function rotated(
  secrets: readonly WebhookSecret[],
  fresh: Omit<WebhookSecret, 'expiresAt' | 'createdAt'>,
  { now, graceMs }: { now: number; graceMs: number },
): WebhookSecret[] {
  const added = { ...fresh, createdAt: new Date(now).toISOString(), expiresAt: null };
  const [earlier] = validSecrets(secrets, now);
  if (!earlier || graceMs === 0) return [added];
  const end = Math.min(now + graceMs, earlier.expiresAt === null ? Infinity : Date.parse(earlier.expiresAt));
  return [added, { ...earlier, expiresAt: new Date(end).toISOString() }];
}
