import { randomBytes } from 'node:crypto';
import type { Doors } from './doors.ts';

/** Settings under which everybody has to sign in. */
export function signInRequired() {
  const token = randomBytes(24).toString('hex');
  return {
    WEFT_AUTH: 'required',
    WEFT_SECRET_KEY: randomBytes(32).toString('hex'),
    WEFT_OPERATOR_TOKEN: token,
    /** What the command shows. */
    WEFT_TOKEN: token,
    RATE_LIMIT_PER_MINUTE: '100000',
    RATE_LIMIT_BURST: '10000',
  };
}

export type SignedIn = { token: string; refreshToken: string; name: string; id: string };

/** Makes a user with these roles and signs it in with a password of its own. */
export async function signUp(doors: Doors, name: string, roles: string[], by?: string): Promise<SignedIn> {
  const { data } = await sure(
    doors,
    `mutation ($name: String!, $roles: [Role!]!) { createUser(name: $name, roles: $roles) { oneTimePassword user { id } } }`,
    { name, roles },
    by,
  );
  const { oneTimePassword, user } = data.createUser;
  return { ...(await chooseOwnPassword(doors, name, oneTimePassword)), id: user.id };
}

export async function chooseOwnPassword(doors: Doors, name: string, first: string, tenant = 'default') {
  const before = await logIn(doors, name, first, tenant);
  const next = randomBytes(12).toString('hex');
  const change =
    'mutation ($current: String!, $next: String!) { changePassword(current: $current, next: $next) { id } }';
  await sure(doors, change, { current: first, next }, before.token);
  return { ...(await logIn(doors, name, next, tenant)), name, password: next };
}

export async function logIn(doors: Doors, username: string, password: string, tenant = 'default') {
  const { data } = await sure(
    doors,
    `mutation ($username: String!, $password: String!, $tenant: ID) {
      logIn(username: $username, password: $password, tenant: $tenant) { accessToken refreshToken mustChangePassword }
    }`,
    { username, password, tenant },
    null,
  );
  return { token: data.logIn.accessToken as string, refreshToken: data.logIn.refreshToken as string };
}

/** Fails with what was answered when that has errors. */
export async function sure(doors: Doors, query: string, variables: Record<string, unknown>, token?: string | null) {
  const answer = await doors.ask(query, variables, token);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer;
}
