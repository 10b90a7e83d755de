import type { Permission } from './permission.ts';

/** What a caller must hold; `authenticated`: to have signed in, whatever it may do; `public`: nothing. */
export type Rule = Permission | 'authenticated' | 'public';

/**
 * What each operation needs: a root field of the graph, and whatever REST, MCP or the CLI offer under the same name.
 * A service does not start with a root field that has no row.
 */
export const OPERATION_PERMISSIONS = {
  workflow: 'workflows:read',
  workflows: 'workflows:read',
  validateWorkflow: 'workflows:read',
  diffWorkflow: 'workflows:read',
  explainWorkflow: 'workflows:read',
  expressionCompletions: 'workflows:read',
  draft: 'workflows:read',
  drafts: 'workflows:read',
  fleetCheck: 'workflows:read',
  publishWorkflow: 'workflows:write',
  saveDraft: 'workflows:write',
  publishDraft: 'workflows:write',
  discardDraft: 'workflows:write',
  deprecateVersion: 'workflows:write',
  undeprecateVersion: 'workflows:write',

  operationDocuments: 'workflows:read',
  publishOperationDocuments: 'workflows:write',
  removeOperationDocument: 'workflows:write',

  run: 'runs:read',
  runs: 'runs:read',
  batch: 'runs:read',
  batches: 'runs:read',
  runUpdated: 'runs:read',
  runEvents: 'runs:read',
  planRerun: 'runs:read',
  planFork: 'runs:read',
  replayRuns: 'runs:operate',
  counterfactualResult: 'runs:read',
  counterfactual: 'runs:start',
  rerunFrom: 'runs:start',
  forkAt: 'runs:start',
  executeWorkflow: 'runs:start',
  approve: 'runs:approve',
  cancelRun: 'runs:operate',
  terminateRun: 'runs:operate',
  pauseRun: 'runs:operate',
  resumeRun: 'runs:operate',
  retryNode: 'runs:operate',
  skipNode: 'runs:operate',
  setVariable: 'runs:operate',
  migrateRun: 'runs:operate',
  eraseSubject: 'tenants:admin',
  eraseTenantValues: 'tenants:admin',
  startBatch: 'runs:operate',
  cancelBatch: 'runs:operate',

  schedule: 'triggers:read',
  schedules: 'triggers:read',
  previewSchedule: 'triggers:read',
  webhook: 'triggers:read',
  webhooks: 'triggers:read',
  eventTrigger: 'triggers:read',
  eventTriggers: 'triggers:read',
  firings: 'triggers:read',
  createSchedule: 'triggers:write',
  updateSchedule: 'triggers:write',
  deleteSchedule: 'triggers:write',
  pauseSchedule: 'triggers:write',
  unpauseSchedule: 'triggers:write',
  triggerSchedule: 'triggers:write',
  backfillSchedule: 'triggers:write',
  createWebhook: 'triggers:write',
  updateWebhook: 'triggers:write',
  rotateWebhookSecret: 'triggers:write',
  deleteWebhook: 'triggers:write',
  createEventTrigger: 'triggers:write',
  updateEventTrigger: 'triggers:write',
  deleteEventTrigger: 'triggers:write',
  retryFiring: 'triggers:write',

  projections: 'system:read',
  rebuildProjection: 'system:operate',
  stopProjection: 'system:operate',
  startProjection: 'system:operate',
  searchRuns: 'runs:read',
  nodeStats: 'runs:read',
  modelUsage: 'models:read',
  serviceHealth: 'system:read',
  auditTrail: 'access:admin',

  events: 'events:read',
  eventStream: 'events:read',
  eventTypes: 'events:read',
  emittedEvent: 'events:read',
  emittedEvents: 'events:read',
  emitEvent: 'runs:start',

  logIn: 'public',
  refreshTokens: 'public',
  logOut: 'authenticated',
  me: 'authenticated',
  changePassword: 'authenticated',
  apiKeys: 'authenticated',
  createApiKey: 'authenticated',
  revokeApiKey: 'authenticated',
  user: 'access:admin',
  users: 'access:admin',
  createUser: 'access:admin',
  createServiceAccount: 'access:admin',
  updateUser: 'access:admin',
  resetPassword: 'access:admin',
  revokeSessions: 'access:admin',
  deleteUser: 'access:admin',
  tenant: 'tenants:admin',
  tenants: 'tenants:admin',
  createTenant: 'tenants:admin',
  setTenantQuotas: 'tenants:admin',
  suspendTenant: 'tenants:admin',
  resumeTenant: 'tenants:admin',
  eraseTenant: 'tenants:admin',

  agentConversation: 'runs:read',
  agentChat: 'runs:read',
  saveAgent: 'workflows:write',
  startAgentChat: 'runs:start',
  sendAgentMessage: 'runs:operate',

  mcpServers: 'tools:read',
  mcpServer: 'tools:read',
  saveMcpServer: 'tools:write',
  removeMcpServer: 'tools:write',
  pinMcpTools: 'tools:write',
  testMcpServer: 'tools:call',
  callMcpTool: 'tools:call',

  models: 'models:read',
  testModel: 'models:call',
  modelPrices: 'models:read',
  providerQuotas: 'models:read',
  saveModelPrice: 'tenants:admin',
  removeModelPrice: 'tenants:admin',
  saveProviderQuota: 'tenants:admin',
  removeProviderQuota: 'tenants:admin',
  budgets: 'models:read',
  budget: 'models:read',
  saveBudget: 'models:write',
  removeBudget: 'models:write',
  nodeTokens: 'runs:read',
} as const satisfies Record<string, Rule>;

export type Operation = keyof typeof OPERATION_PERMISSIONS;

/** Fields below the root by which one area of the graph leads into another. */
export const FIELD_PERMISSIONS: Readonly<Record<string, Permission>> = {
  'Workflow.runs': 'runs:read',
  'Schedule.runs': 'runs:read',
  'Webhook.runs': 'runs:read',
  'EventTrigger.runs': 'runs:read',
};

/** What the gateway may fetch by key on behalf of a caller. */
export const ENTITY_PERMISSIONS: Readonly<Record<string, Permission>> = {
  Workflow: 'workflows:read',
  Run: 'runs:read',
};

export function operationRule(operation: string): Rule | undefined {
  return Object.hasOwn(OPERATION_PERMISSIONS, operation) ? OPERATION_PERMISSIONS[operation as Operation] : undefined;
}
