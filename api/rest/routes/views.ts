import { z } from 'zod';

/** What is shown of each thing, in GraphQL and in REST. */
export const PAGE = 'pageInfo { hasNextPage endCursor } totalCount';
export const WORKFLOW = 'id name version description kind definition inputSchema createdAt';
export const RUN =
  'id workflow { id version } status input output error { code message nodeId hint } labels priority startedAt closedAt temporalUrl';
export const STATUS =
  'id status error { code message nodeId hint } startedAt closedAt nodes { id type status path attempts error { code message } startedAt closedAt }';
export const SCHEDULE =
  'id name workflow { id } version input mapping spec { crons timeZone startAt endAt jitterSeconds } overlap catchupWindowSeconds pauseOnFailure paused note createdAt updatedAt';
export const WEBHOOK =
  'id name url workflow { id } version mapping enabled secrets { createdAt expiresAt } createdAt updatedAt';
export const BATCH = 'id operation status reason dryRun createdBy total done failed createdAt closedAt';
export const USER = 'id kind name email roles disabled mustChangePassword createdAt signedInAt';
export const KEY = 'id name userId scopes expiresAt revokedAt usedAt createdAt';
export const TOKENS = 'accessToken tokenType expiresIn refreshToken mustChangePassword';
export const TENANT = 'id name state stateReason runsADay concurrentRuns storageBytes createdAt changedAt';

export const page = {
  first: z.coerce.number().int().min(1).max(100).optional().describe('How many; 20 where it is left out.'),
  after: z.string().max(1000).optional().describe('`nextCursor` of the page before.'),
};
export const text = (most = 1000) => z.string().max(most);
export const name = text(200).min(1);
export const reason = text(2000).optional();
export const json = z.json();
export const labels = z.record(z.string(), z.string());
export const wait = z
  .string()
  .regex(/^\d{1,3}(ms|s)?$/)
  .optional()
  .describe('How long to wait for the run to close, as `30s` or `500ms`; at most 60 s.');
