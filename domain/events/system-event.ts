import type { PayloadOf } from './event-field.ts';
import { ACCESS_EVENTS } from './kinds/access-events.ts';
import { BUDGET_EVENTS } from './kinds/budget-events.ts';
import { CALL_EVENTS } from './kinds/call-events.ts';
import { DEFINITION_EVENTS } from './kinds/definition-events.ts';
import { MCP_EVENTS } from './kinds/mcp-events.ts';
import { MODEL_RULE_EVENTS } from './kinds/model-rule-events.ts';
import { PROMPT_EVENTS } from './kinds/prompt-events.ts';
import { TRIGGER_EVENTS } from './kinds/trigger-events.ts';

/** Every type of events that does not come from Temporal's history. A type is `<kind>.<what happened>`. */
export const SYSTEM_EVENTS = {
  ...CALL_EVENTS,
  ...DEFINITION_EVENTS,
  ...TRIGGER_EVENTS,
  ...ACCESS_EVENTS,
  ...MCP_EVENTS,
  ...BUDGET_EVENTS,
  ...MODEL_RULE_EVENTS,
  ...PROMPT_EVENTS,
};

export type SystemEventType = keyof typeof SYSTEM_EVENTS;
export type SystemPayload<Type extends SystemEventType> = PayloadOf<(typeof SYSTEM_EVENTS)[Type]['payload']>;

/** What somebody has to say to record an event; the rest of the envelope follows. */
export type SystemEvent = {
  [Type in SystemEventType]: {
    type: Type;
    /** What it happened to: the event goes to the stream `<kind>/<id>`. */
    id: string;
    payload: SystemPayload<Type>;
    /** Given where the same event may be recorded again: it is then stored once. */
    eventId?: string;
    /** A run id, or whatever ties events of one piece of work together. */
    correlationId?: string | null;
    causationId?: string | null;
    /** When it happened, if not now. */
    occurredAt?: Date;
  };
}[SystemEventType];

export const systemStreamId = ({ type, id }: Pick<SystemEvent, 'type' | 'id'>): string =>
  `${type.slice(0, type.indexOf('.'))}/${id}`;
