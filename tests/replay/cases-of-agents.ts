import { agentDefinition } from '../../domain/agents/agent-definition.ts';
import { agentInput } from '../../domain/agents/agent.ts';
import type { ReplayCase } from './cases.ts';

export const casesOfAgents = (): ReplayCase[] => [
  {
    name: 'agent',
    definition: {
      name: 'agent',
      nodes: [
        { id: 'helper', type: 'agent', config: { prompt: 'Help.', workflow: 'replay-child' } },
        {
          id: 'tools',
          type: 'agent.tools',
          config: { servers: [{ server: 'none', rule: 0 }] },
          onError: 'continue',
          fallback: 'null',
        },
        { id: 'shorten', type: 'agent.summarize', config: { messages: '[]' } },
      ],
      edges: [],
      output: 'nodes.helper.status',
    },
  },
  {
    // Nobody says anything, so no model is asked.
    name: 'agent-chat',
    definition: agentDefinition('replay-agent-chat', { chat: { idleMs: 200 } }),
    input: agentInput({}),
  },
];
