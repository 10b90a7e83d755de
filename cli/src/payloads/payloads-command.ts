import type { Command } from 'commander';

const HELP = `
Servers: TEMPORAL_ADDRESS and DATABASE_URL, or those of a running "weft start". Keys and bucket: the settings
that the other processes have.

Examples
  weft payloads gc --dry-run
  weft payloads keys
  weft payloads rotate`;

/** The verbs about stored payloads; what they do is loaded when one is called. */
export function addPayloadsCommand(program: Command): void {
  const payloads = program.command('payloads').description('large values: garbage, keys').addHelpText('after', HELP);
  payloads
    .command('gc')
    .description('delete the payloads that nothing points at, as the projector does from time to time')
    .option('--dry-run', 'say what would be deleted, and delete nothing')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { dryRun?: boolean; json?: boolean }) => {
      const { collectGarbage } = await import('./collect-garbage.ts');
      process.exitCode = await collectGarbage(options);
    });
  payloads
    .command('keys')
    .description('how many stored payloads need which encryption key')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { json?: boolean }) => {
      const { showKeys } = await import('./payload-keys.ts');
      process.exitCode = await showKeys(options);
    });
  payloads
    .command('rotate')
    .description('encrypt stored payloads anew with the first key of WEFT_ENCRYPTION_KEYS')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: { json?: boolean }) => {
      const { rotateKeys } = await import('./payload-keys.ts');
      process.exitCode = await rotateKeys(options);
    });
}
