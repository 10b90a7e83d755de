import { aligned } from './aligned.ts';
import { createGatewayClient } from './gateway-client.ts';

type Effect = {
  key: string;
  nodeId: string;
  iteration: string;
  attempt: number;
  kind: string;
  request: { method?: string; url?: string; provider?: string };
  receipt: unknown;
  state: string;
  error: { code: string; message: string } | null;
  startedAt: string;
  finishedAt: string | null;
};

const EFFECTS = `query ($id: ID!, $nodeId: String) { run(id: $id) { effects(nodeId: $nodeId) {
  key nodeId iteration attempt kind request requestHash receipt state error { code message } startedAt finishedAt
} } }`;
const RECEIPT_WIDTH = 60;

/** Gives the exit code: 1 when there is no such run. */
export async function runEffects(
  id: string,
  { url, node, json }: { url: string; node?: string; json?: boolean },
): Promise<number> {
  const { run } = await createGatewayClient(url)<{ run: { effects: Effect[] } | null }>(EFFECTS, {
    id,
    nodeId: node ?? null,
  });
  if (run === null) {
    process.stderr.write(`there is no run ${id}\n`);
    return 1;
  }
  process.stdout.write(json ? `${JSON.stringify(run.effects)}\n` : `${effectsTable(run.effects)}\n`);
  return 0;
}

export function effectsTable(effects: readonly Effect[]): string {
  if (effects.length === 0) return 'no calls that may change something';
  const rows = effects.map((effect) => [
    `${effect.nodeId}#${effect.iteration}`,
    String(effect.attempt),
    effect.state,
    effect.kind,
    [effect.request.method, effect.request.url, effect.request.provider].filter(Boolean).join(' '),
    effect.key.slice(0, 12),
    effect.finishedAt === null ? '' : `${Date.parse(effect.finishedAt) - Date.parse(effect.startedAt)} ms`,
    effect.error ? `${effect.error.code}: ${effect.error.message}` : shortened(effect.receipt),
  ]);
  return aligned([['NODE', 'ATTEMPT', 'STATE', 'KIND', 'REQUEST', 'KEY', 'TOOK', 'ANSWER'], ...rows]);
}

function shortened(receipt: unknown): string {
  const text = receipt === null ? '' : JSON.stringify(receipt);
  return text.length <= RECEIPT_WIDTH ? text : `${text.slice(0, RECEIPT_WIDTH)}...`;
}
