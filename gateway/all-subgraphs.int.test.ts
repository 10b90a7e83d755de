import { composeServices } from '@apollo/composition';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { declarePermissions } from '../adapters/graphql/declare-permissions.ts';
import { readSchema } from '../api/graphql/read-schema.ts';
import { ask, type Doors, openDoors } from '../tests/doors.ts';
import {
  RECORDED_SUBGRAPHS,
  type RecordedSubgraph,
  recordedSdl,
  serveRecorded,
} from '../tests/recorded-subgraphs/serve-recorded.ts';
import { accessRules } from './access-rules.ts';
import type { Graph } from './graph.ts';
import { type RunningGateway, startGateway } from './start-gateway.ts';

const QUERY = `query ($id: ID!) {
  workflow(id: $id) {
    id name status
    processedContent { id concepts sentiment }
    knowledgeGraph { nodes relationships }
    collaborators { userId presence }
  }
}`;
const ANSWERED = {
  id: 'summarise',
  name: 'summarise',
  status: 'ACTIVE',
  processedContent: [
    { id: 'c-2', concepts: ['durability', 'retries'], sentiment: 'POSITIVE' },
    { id: 'c-1', concepts: ['queues'], sentiment: null },
  ],
  knowledgeGraph: {
    nodes: [
      { id: 'k-1', name: 'durability' },
      { id: 'k-2', name: 'retries' },
    ],
    relationships: [{ from: 'k-2', to: 'k-1', type: 'PREREQUISITE' }],
  },
  collaborators: [
    { userId: 'u-1', presence: 'ONLINE' },
    { userId: 'u-2', presence: 'AWAY' },
  ],
};

let doors: Doors;
let recorded: Record<RecordedSubgraph, Awaited<ReturnType<typeof serveRecorded>>>;
let gateway: RunningGateway;
const query = (id: string) => ask(`http://127.0.0.1:${gateway.port}`, QUERY, { id });

beforeAll(async () => {
  doors = await openDoors();
  recorded = Object.fromEntries(
    await Promise.all(RECORDED_SUBGRAPHS.map(async (name) => [name, await serveRecorded(name)])),
  );
  gateway = await startGateway(doors.settings, pino({ level: 'silent' }), graph());
  for (const name of ['summarise', 'unprocessed']) await publish(name);
});
afterAll(async () => {
  await gateway?.stop();
  for (const subgraph of Object.values(recorded ?? {})) await subgraph.close();
  await doors?.close();
});

describe('the graph of runs, content, knowledge and realtime', () => {
  it('answers in one query what all of them know of a workflow', async () => {
    expect(await query('summarise')).toEqual({ data: { workflow: ANSWERED } });
    for (const name of RECORDED_SUBGRAPHS) expect(recorded[name].asked.at(-1)).toContain('_entities');
  });

  it('says of a workflow what little is known, and that a version starts no runs', async () => {
    await doors.ask('mutation { deprecateVersion(workflowId: "unprocessed", version: 1) { id } }');
    const unknown = { processedContent: null, knowledgeGraph: null, collaborators: null };
    expect((await query('unprocessed')).data).toEqual({
      workflow: { id: 'unprocessed', name: 'unprocessed', status: 'DEPRECATED', ...unknown },
    });
    expect(await query('nowhere')).toEqual({ data: { workflow: null } });
  });

  it('asks for what it may keep once, and again when an event says that the workflow has changed', async () => {
    const asked = () => recorded.content.asked.length;
    // What is kept before the events are followed is forgotten once they are.
    for (let before = -1; asked() !== before;) {
      before = asked();
      expect((await query('summarise')).data.workflow).toEqual(ANSWERED);
    }
    await publish('summarise', 2);
    const published = asked();
    while (asked() === published) expect((await query('summarise')).data.workflow).toEqual(ANSWERED);
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text();
    expect(metrics).toMatch(/weft_gateway_cache_found_total [1-9]/);
    expect(metrics).toMatch(/weft_gateway_cache_purged_total [1-9]/);
  });

  it('gives what the others know where one is away, and names it', async () => {
    await recorded.knowledge.close();
    const { data, errors } = await query('summarise');
    expect(data).toEqual({ workflow: { ...ANSWERED, knowledgeGraph: null } });
    expect(errors).toMatchObject([{ extensions: { service: 'knowledge', code: 'SUBGRAPH_UNAVAILABLE' } }]);
  });
});

function graph(): Graph {
  const runs = declarePermissions(readSchema(new URL('../api/runs/schema/', import.meta.url)));
  const urls = new Map<string, string>([['runs', `${doors.apiUrl}/graphql`]]);
  for (const name of RECORDED_SUBGRAPHS) urls.set(name, recorded[name].url);
  const { supergraphSdl = '', errors } = composeServices([
    { name: 'runs', url: urls.get('runs') ?? '', typeDefs: runs },
    ...RECORDED_SUBGRAPHS.map((name) => ({ name, url: recorded[name].url, typeDefs: recordedSdl(name) })),
  ]);
  expect(errors).toBeUndefined();
  const { sdl, rules } = accessRules(supergraphSdl);
  return { supergraphSdl, plannedSdl: sdl, rules, addressOf: (name) => new URL(urls.get(name) ?? '') };
}

async function publish(name: string, durationMs = 1): Promise<void> {
  const definition = { name, nodes: [{ id: 'pause', type: 'delay', config: { durationMs } }], edges: [] };
  const { errors } = await doors.ask(
    'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }',
    {
      definition,
    },
  );
  expect(errors).toBeUndefined();
}
