import { lockUndispatchedEvents, markDispatched } from '../../adapters/postgres/emitted-event-store.ts';
import { eventTriggersFor } from '../../adapters/postgres/event-trigger-store.ts';
import { wakeWaits } from '../../adapters/postgres/event-wait-store.ts';
import { inTransaction } from '../../adapters/postgres/transaction.ts';
import { insertFiring } from '../../adapters/postgres/trigger-firing-store.ts';
import type { Json } from '../../domain/json.ts';
import { toRunError } from '../../domain/runs/run-error.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { EmittedEvent, EventTriggerRecord } from '../../domain/runs/triggers/event.ts';
import { firingId } from '../../domain/runs/triggers/firing.ts';
import { eventInput } from '../../domain/runs/triggers/firing-input.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import type { RunsDeps } from './deps.ts';

/**
 * Turns emitted events into firings and wake-ups, each event once: all in one transaction, which a crash undoes. Gives how many
 * events it took.
 */
export async function handOnEvents(pool: RunsDeps['pool'], limit: number): Promise<number> {
  return inTransaction(pool, async (client) => {
    const events = await lockUndispatchedEvents(client, limit);
    for (const event of events) {
      for (const trigger of await eventTriggersFor(client, event.tenantId, event.name)) {
        await fire(client, trigger, event);
      }
      await wakeWaits(client, event);
      await markDispatched(client, event);
    }
    return events.length;
  });
}

type Client = Parameters<typeof wakeWaits>[0];

async function fire(client: Client, trigger: EventTriggerRecord, event: EmittedEvent): Promise<void> {
  const { input, error } = inputOf(trigger, event);
  if (input === undefined) return;
  const firing = { kind: 'EVENT', triggerId: trigger.id, source: event.id } as const;
  await insertFiring(client, {
    ...firing,
    id: firingId(firing, contentHash),
    tenantId: event.tenantId,
    sourceHash: null,
    workflowId: trigger.workflowId,
    version: trigger.version,
    input,
    depth: event.depth,
    holderId: null,
    error,
  });
}

/** What cannot be evaluated is a firing too, a dead one, so that somebody sees it. */
function inputOf(
  trigger: EventTriggerRecord,
  event: EmittedEvent,
): { input: Json | undefined; error: RunError | null } {
  try {
    return { input: eventInput(trigger, event), error: null };
  } catch (error) {
    return { input: null, error: toRunError(error, null) };
  }
}
