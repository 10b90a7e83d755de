import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

export type AgentOptions = { url: string; json?: boolean };
export type StartAgentOptions = AgentOptions & { system?: string; values?: string };

export function addAgentCommands(program: Command): void {
  const agent = program.command('agent').description('agents: models that call tools until they have an answer');
  const load = () => import('./agents/agents.ts');
  const verb = (signature: string, description: string) =>
    agent
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  const starting = (signature: string, description: string) =>
    verb(signature, description)
      .option('--system <text>', 'what the agent is')
      .option('--values <json>', 'for its tools');
  verb('save <name> <file>', 'publish an agent: a JSON or YAML file with the config of an `agent` node').action(
    (name: string, file: string, options: AgentOptions) =>
      exitCode(async () => (await load()).saveAgent(name, file, options)),
  );
  starting('run <name> <prompt>', 'run an agent and print its answer').action(
    (name: string, prompt: string, options: StartAgentOptions) =>
      exitCode(async () => (await load()).runAgent(name, prompt, options)),
  );
  starting('chat <name> [message]', 'talk to an agent: a line is a message, the end of the input ends the chat').action(
    (name: string, message: string | undefined, options: StartAgentOptions) =>
      exitCode(async () => (await load()).chatWithAgent(name, message ?? null, options)),
  );
  verb('say <run> <text>', 'say something to an agent at work').action(
    (run: string, text: string, options: AgentOptions) =>
      exitCode(async () => (await load()).sayToAgent(run, text, options)),
  );
  verb('show <run>', 'what an agent and people have said, and the calls that were made').action(
    (run: string, options: AgentOptions) => exitCode(async () => (await load()).showAgent(run, options)),
  );
}
