import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';
import { wholeNumber } from './whole-number.ts';

export type Shared = { url: string; json?: boolean };
export type LoginOptions = Shared & { tenant?: string; newPassword?: boolean };
export type UserOptions = Shared & { role?: string[]; email?: string; service?: boolean };
export type KeyOptions = Shared & { user?: string; scope?: string[]; days?: number };
export type TenantOptions = Shared & {
  name?: string;
  admin?: string;
  reason?: string;
  runsADay?: number;
  concurrentRuns?: number;
  storageBytes?: number;
};

/** Signing in, users, keys and tenants. */
export function addAccessCommands(program: Command): void {
  addSignIn(program);
  addUsers(program.command('user').description('people and service accounts'));
  addKeys(program.command('key').description('API keys'));
  addTenants(
    program.command('tenant').description('organisations that share the servers; for admins of tenant default'),
  );
}

function addSignIn(program: Command): void {
  const load = () => import('./access/sign-in-command.ts');
  shared(
    program.command('login').description('sign in; the password is asked for, or read from stdin').argument('<name>'),
  )
    .option('--tenant <id>', 'default is `default`')
    .option('--new-password', 'choose another: the next line of stdin')
    .action((name: string, options: LoginOptions) => exitCode(async () => (await load()).logIn(name, options)));
  shared(program.command('logout').description('end the session')).action((options: Shared) =>
    exitCode(async () => (await load()).logOut(options)),
  );
  shared(program.command('whoami').description('who the token here is of, and what it may do')).action(
    (options: Shared) => exitCode(async () => (await load()).whoAmI(options)),
  );
  program
    .command('token')
    .description('what commands here show to the server, for curl and other clients')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here', graphqlUrl())
    .action((options: Shared) => exitCode(async () => (await load()).printToken(options)));
  program
    .command('explorer')
    .description('the address of the GraphQL explorer, with the operator token: for this machine alone')
    .action(() => exitCode(async () => (await load()).printExplorer()));
}

function addUsers(group: Command): void {
  const load = () => import('./access/user-command.ts');
  shared(group.command('create').description('with a password for the first sign-in').argument('<name>'))
    .requiredOption('--role <role...>', 'admin, developer, operator, analyst, viewer, service')
    .option('--email <address>')
    .option('--service', 'a service account: it has keys and no password')
    .action((name: string, options: UserOptions) => exitCode(async () => (await load()).createUser(name, options)));
  shared(group.command('list').description('newest first')).action((options: Shared) =>
    exitCode(async () => (await load()).listUsers(options)),
  );
  shared(group.command('roles').description('change what a user may do').argument('<user>', 'id or name'))
    .requiredOption('--role <role...>')
    .action((user: string, options: UserOptions) => exitCode(async () => (await load()).setRoles(user, options)));
  for (const [verb, what] of [
    ['disable', 'shut a user out'],
    ['enable', 'let it in again'],
    ['reset-password', 'give it a new password for one sign-in'],
    ['sign-out', 'end its sessions'],
    ['delete', 'with its keys and sessions'],
  ] as const) {
    shared(group.command(verb).description(what).argument('<user>', 'id or name')).action(
      (user: string, options: Shared) => exitCode(async () => (await load()).changeUser(verb, user, options)),
    );
  }
}

function addKeys(group: Command): void {
  const load = () => import('./access/key-command.ts');
  shared(group.command('create').description('the secret is shown once').argument('<name>'))
    .option('--user <user>', 'id or name; default is whoever is signed in')
    .option('--scope <permission...>', 'at most these; default is what its user may do')
    .option('--days <number>', 'valid for so long, 1 to 365', wholeNumber())
    .action((name: string, options: KeyOptions) => exitCode(async () => (await load()).createKey(name, options)));
  shared(group.command('list').description('newest first')).action((options: KeyOptions) =>
    exitCode(async () => (await load()).listKeys(options)),
  );
  shared(group.command('revoke').description('it opens nothing any more').argument('<id>')).action(
    (id: string, options: Shared) => exitCode(async () => (await load()).revokeKey(id, options)),
  );
}

/** `weft tenant erase` is one of the verbs of erasure. */
function addTenants(group: Command): void {
  const load = () => import('./access/tenant-command.ts');
  quotas(shared(group.command('create').description('with its first admin').argument('<id>')))
    .option('--name <text>')
    .option('--admin <name>', 'of its first user', 'admin')
    .action((id: string, options: TenantOptions) => exitCode(async () => (await load()).createTenant(id, options)));
  shared(group.command('list').description('all of them')).action((options: Shared) =>
    exitCode(async () => (await load()).listTenants(options)),
  );
  quotas(shared(group.command('quotas').description('what is left out becomes unlimited').argument('<id>'))).action(
    (id: string, options: TenantOptions) => exitCode(async () => (await load()).setQuotas(id, options)),
  );
  shared(group.command('suspend').description('nobody of it gets in; runs go on').argument('<id>'))
    .option('--reason <text>')
    .action((id: string, options: TenantOptions) => exitCode(async () => (await load()).suspendTenant(id, options)));
  shared(group.command('resume').description('let it in again').argument('<id>')).action(
    (id: string, options: Shared) => exitCode(async () => (await load()).resumeTenant(id, options)),
  );
}

const quotas = (command: Command): Command =>
  command
    .option('--runs-a-day <number>', 'how many may begin in a day (UTC)', wholeNumber())
    .option('--concurrent-runs <number>', 'how many may be open at once', wholeNumber())
    .option('--storage-bytes <number>', 'what its data may take up', wholeNumber());

const shared = (command: Command): Command =>
  command
    .option('--json', 'JSON on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here', graphqlUrl());
