import { eventKind, listOf, nullable, object, optional, text } from '../event-field.ts';

/** Who and from where. Secrets, passwords and tokens never stand here. */
const actor = {
  subject: nullable(text('Whom it concerns: user, key or token')),
  by: nullable(text('Who did it; null where nobody had signed in')),
  address: optional(nullable(text('Network address of the client'))),
  userAgent: optional(nullable(text('What the client says it is'))),
  detail: optional(object('What else is known')),
};
const reason = { ...actor, reason: text('Why') };

/** The security audit. */
export const ACCESS_EVENTS = {
  'access.logged_in': eventKind('Somebody signed in', actor),
  'access.login_failed': eventKind('Somebody could not sign in', reason),
  'access.logged_out': eventKind('Somebody signed out', actor),
  'access.token_refused': eventKind('A token or key was not taken', reason),
  'access.denied': eventKind('An operation was refused for want of a permission', {
    ...actor,
    operation: text('Operation'),
    permission: text('The permission that it needs'),
  }),
  'access.rate_limited': eventKind('Somebody asked too often', actor),
  'access.user_created': eventKind('A user was made', actor),
  'access.user_changed': eventKind('A user was changed', actor),
  'access.user_disabled': eventKind('A user was shut out', actor),
  'access.user_deleted': eventKind('A user was deleted', actor),
  'access.password_changed': eventKind('A password was changed', actor),
  'access.key_created': eventKind('A key was made', {
    ...actor,
    keyId: text('Id of the key'),
    permissions: listOf('What it may do', text('Permission')),
  }),
  'access.key_revoked': eventKind('A key was revoked', { ...actor, keyId: text('Id of the key') }),
  'access.session_revoked': eventKind('A session was ended by somebody', actor),
  'access.role_changed': eventKind('What somebody may do was changed', {
    ...actor,
    before: listOf('Roles or permissions before', text('Name')),
    after: listOf('Roles or permissions after', text('Name')),
  }),
  'access.tenant_created': eventKind('A tenant was made', actor),
  'access.tenant_changed': eventKind('A tenant was changed', actor),
  'access.tenant_suspended': eventKind('A tenant was suspended', actor),
  'access.tenant_resumed': eventKind('A suspended tenant was let in again', actor),
  'access.tenant_deleted': eventKind('A tenant was deleted', actor),
  'access.schema_published': eventKind('A schema of a subgraph became part of the graph that gateways serve', actor),
  'access.schema_rolled_back': eventKind('Gateways serve an earlier version of the graph again', actor),
  'access.key_destroyed': eventKind('A key that data were encrypted with was destroyed', reason),
};
