import type { Shared, UserOptions } from '../access-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { UsageError } from '../usage-error.ts';

type User = { id: string; kind: string; name: string; email: string | null; roles: string[]; disabled: boolean };
type WithPassword = { user: User; oneTimePassword?: string };

const VIEW = 'id kind name email roles disabled';
const WITH_PASSWORD = `{ oneTimePassword user { ${VIEW} } }`;

export async function createUser(name: string, options: UserOptions): Promise<number> {
  const { url, role, email, service } = options;
  const gateway = createGatewayClient(url);
  if (service) {
    const query = `mutation ($name: String!, $roles: [Role!]!) { made: createServiceAccount(name: $name, roles: $roles) { ${VIEW} } }`;
    const { made } = await gateway<{ made: User }>(query, { name, roles: role });
    return print({ user: made }, options);
  }
  const query = `mutation ($name: String!, $roles: [Role!]!, $email: String) {
    made: createUser(name: $name, roles: $roles, email: $email) ${WITH_PASSWORD}
  }`;
  const { made } = await gateway<{ made: WithPassword }>(query, { name, roles: role, email });
  return print(made, options);
}

export async function listUsers({ url, json }: Shared): Promise<number> {
  const gateway = createGatewayClient(url);
  const users: User[] = [];
  for (let after: string | null = null, more = true; more;) {
    type Page = { edges: { node: User }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    const { users: page }: { users: Page } = await gateway<{ users: Page }>(
      `query ($after: String) { users(first: 100, after: $after) {
        edges { node { ${VIEW} } } pageInfo { hasNextPage endCursor }
      } }`,
      { after },
    );
    users.push(...page.edges.map(({ node }) => node));
    more = page.pageInfo.hasNextPage;
    after = page.pageInfo.endCursor;
  }
  if (json) printJson(users);
  else
    printRows(
      users.map((user) => [user.name, user.kind, user.roles.join(','), user.disabled ? 'disabled' : '', user.id]),
    );
  return 0;
}

export async function setRoles(user: string, options: UserOptions): Promise<number> {
  const gateway = createGatewayClient(options.url);
  const { updateUser } = await gateway<{ updateUser: User }>(
    `mutation ($id: ID!, $roles: [Role!]) { updateUser(id: $id, roles: $roles) { ${VIEW} } }`,
    { id: user, roles: options.role },
  );
  return print({ user: updateUser }, options);
}

const CHANGES = {
  disable: `updateUser(id: $id, disabled: true) { ${VIEW} }`,
  enable: `updateUser(id: $id, disabled: false) { ${VIEW} }`,
  'reset-password': `resetPassword(id: $id) ${WITH_PASSWORD}`,
  'sign-out': `revokeSessions(id: $id) { ${VIEW} }`,
  delete: `deleteUser(id: $id) { ${VIEW} }`,
} as const;

export async function changeUser(verb: keyof typeof CHANGES, user: string, options: Shared): Promise<number> {
  const gateway = createGatewayClient(options.url);
  const query = `mutation ($id: ID!) { changed: ${CHANGES[verb]} }`;
  const { changed } = await gateway<{ changed: User | WithPassword }>(query, { id: user });
  return print('user' in changed ? changed : { user: changed }, options);
}

function print({ user, oneTimePassword }: WithPassword, { json }: Shared): number {
  if (json) printJson({ ...user, ...(oneTimePassword !== undefined && { oneTimePassword }) });
  else {
    printRows([
      ['user', user.name],
      ['id', user.id],
      ['roles', user.roles.join(', ')],
      ...(user.disabled ? [['state', 'disabled']] : []),
      ...(oneTimePassword === undefined
        ? []
        : [['password', `${oneTimePassword}  (for one sign-in; not shown again)`]]),
    ]);
  }
  return 0;
}

/** @throws UsageError */
export async function userId(url: string, user: string): Promise<string> {
  const { user: found } = await createGatewayClient(url)<{ user: User | null }>(
    'query ($id: ID!) { user(id: $id) { id } }',
    { id: user },
  );
  if (!found) throw new UsageError(`There is no user ${user}`, 'weft user list names them.');
  return found.id;
}
