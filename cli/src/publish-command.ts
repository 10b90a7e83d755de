import { readValidDefinition } from './definition-file.ts';
import { runFleetCheck } from './fleet-check-command.ts';
import { createGatewayClient } from './gateway-client.ts';

const CHECKED_CLOSED = 100;
type Published = { publishWorkflow: { id: string; version: number } };

/** `weft publish`: 0 when it is published. */
export async function runPublish(
  file: string,
  { check, json, url }: { check?: boolean; json?: boolean; url: string },
): Promise<number> {
  if (check && (await runFleetCheck(file, { closed: CHECKED_CLOSED, map: [], url })) !== 0) return 1;
  const definition = await readValidDefinition(file);
  const { publishWorkflow } = await createGatewayClient(url)<Published>(
    'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id version } }',
    { definition },
  );
  const { id, version } = publishWorkflow;
  process.stdout.write(json ? `${JSON.stringify({ id, version })}\n` : `${id} version ${version}\n`);
  return 0;
}
