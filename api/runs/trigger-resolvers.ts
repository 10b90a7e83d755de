import type { RunsDeps } from './deps.ts';
import { eventTriggerResolvers } from './event-triggers-resolvers.ts';
import { scheduleResolvers } from './schedules-resolvers.ts';
import { webhookResolvers } from './webhooks-resolvers.ts';

/** Everything that starts runs: schedules, webhooks and events. */
export function triggerResolvers(deps: RunsDeps) {
  const parts = [scheduleResolvers(deps), webhookResolvers(deps), eventTriggerResolvers(deps)] as const;
  const [schedules, webhooks, events] = parts;
  const types = Object.fromEntries(
    parts.flatMap(({ Query: _query, Mutation: _mutation, ...others }) => Object.entries(others)),
  );
  return {
    Query: { ...schedules.Query, ...webhooks.Query, ...events.Query },
    Mutation: { ...schedules.Mutation, ...webhooks.Mutation, ...events.Mutation },
    types,
  };
}
