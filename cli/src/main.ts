import { Command } from 'commander';
import { addAccessCommands } from './access-commands.ts';
import { addAuthoringCommands } from './authoring-commands.ts';
import { addDocumentsCommands } from './documents-commands.ts';
import { addEraseCommands } from './erase-commands.ts';
import { addEventsCommand } from './events/events-command.ts';
import { addFlowCommands } from './flow-commands.ts';
import { addInsightCommands } from './insight-commands.ts';
import { addAgentCommands } from './agent-commands.ts';
import { addMcpCommands } from './mcp-commands.ts';
import { addBudgetsCommands } from './budgets-commands.ts';
import { addModelsCommands } from './models-commands.ts';
import { addPromptsCommands } from './prompts-commands.ts';
import { addOperateCommands } from './operate-commands.ts';
import { addPayloadsCommand } from './payloads/payloads-command.ts';
import { printFailure } from './print-failure.ts';
import { addReplayCommands } from './replay/replay-command.ts';
import { addRerunCommands } from './rerun/rerun-commands.ts';
import { addRunCommands } from './run-commands.ts';
import { addSchemaCommand } from './schema-command.ts';
import type { StartOptions } from './start/start-command.ts';
import { addTriggerCommands } from './trigger-commands.ts';
import { addVersionCommands } from './version-commands.ts';
import { addWorkerCommand } from './worker/worker-command.ts';
import { addWorkflowCommands } from './workflow-commands.ts';

const program = new Command('weft')
  .description('Durable AI workflows on Temporal')
  .version('0.1.0')
  // Before the verb, so that `--version` after it is the verb's own.
  .enablePositionalOptions()
  .configureOutput({ writeOut: (text) => process.stdout.write(text), writeErr: (text) => process.stderr.write(text) })
  .exitOverride();

program
  .command('start')
  .description('start everything, run the sample and stay up until Ctrl-C')
  .option('--once', 'stop after the sample run: exit code 0 when it completed, else 1')
  .option('--json', 'one JSON line about the run, alone on stdout')
  .action(async (options: StartOptions) => {
    const { runStart } = await import('./start/start-command.ts');
    process.exitCode = await runStart(options);
  });

program
  .command('doctor')
  .description('check the machine, the servers and the services; one line each, with the fix')
  .option('--json', 'one JSON object on stdout')
  .action(async (options: { json?: boolean }) => {
    const { runDoctor } = await import('./doctor/doctor-command.ts');
    process.exitCode = await runDoctor(options);
  });

addAccessCommands(program);
addAuthoringCommands(program);
addRunCommands(program);
addReplayCommands(program);
addRerunCommands(program);
addFlowCommands(program);
addOperateCommands(program);
addWorkflowCommands(program);
addTriggerCommands(program);
addVersionCommands(program);
addWorkerCommand(program);
addEventsCommand(program);
addEraseCommands(program);
addDocumentsCommands(program);
addInsightCommands(program);
addModelsCommands(program);
addPromptsCommands(program);
addBudgetsCommands(program);
addMcpCommands(program);
addAgentCommands(program);
addPayloadsCommand(program);
addSchemaCommand(program);

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
  if (typeof code === 'string' && code.startsWith('commander.')) {
    process.exitCode = exitCode === 0 ? 0 : 2;
  } else {
    printFailure(error);
    process.exitCode = 1;
  }
}
// The channel to the bootstrap would keep this process alive.
if (process.connected) process.disconnect();
