import { defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { nodeId } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';
import { assertCanDecide } from '../../domain/runs/approval.ts';
import {
  assertCanDeliver,
  assertCanPause,
  assertCanResume,
  assertCanRetry,
  assertCanSetVariable,
  assertCanSkip,
} from '../../domain/runs/check-message.ts';
import type { CompiledDefinition } from '../../domain/runs/compile.ts';
import {
  APPROVE_UPDATE,
  type ApproveArguments,
  DELIVER_UPDATE,
  type DeliverArguments,
  EVENT_SIGNAL,
  type NodeArguments,
  PAUSE_UPDATE,
  type PauseArguments,
  type EventArguments,
  RESUME_UPDATE,
  type ResumeArguments,
  RETRY_UPDATE,
  SET_VARIABLE_UPDATE,
  type SetVariableArguments,
  SKIP_UPDATE,
  type SkipArguments,
} from '../../domain/runs/messages.ts';
import type { Happening } from '../../domain/runs/run-event.ts';
import type { RunDriver } from './run-driver.ts';
import { toApplicationFailure } from './to-application-failure.ts';

const ref = (id: string, iteration: string | null) => ({ nodeId: nodeId(id), iteration });

function answerOf(request: object): JsonObject {
  const { nodeId: node, decision } = request as { nodeId?: string; decision?: string };
  return { ...(node === undefined ? {} : { nodeId: node }), ...(decision === undefined ? {} : { decision }) };
}

/** What is asked of a run from outside: refused by a validator, which leaves no event, or an event for the engine. */
export function handleMessages(compiled: CompiledDefinition, driver: RunDriver): void {
  const update = <Request extends object>(
    name: string,
    check: (request: Request) => void,
    eventOf: (request: Request) => Happening,
  ): void => {
    setHandler(
      defineUpdate<JsonObject, [Request]>(name),
      (request) => {
        driver.receive({ ...eventOf(request), at: Date.now() });
        return answerOf(request);
      },
      {
        validator: (request) => {
          try {
            check(request);
          } catch (error) {
            throw toApplicationFailure(error);
          }
        },
      },
    );
  };
  update<ApproveArguments>(
    APPROVE_UPDATE,
    (request) => void assertCanDecide(compiled, driver.state, request, Date.now()),
    ({ nodeId, iteration = null, decision, comment = null, data = null, decidedBy = null }) => ({
      type: 'approval.decided',
      ...ref(nodeId, iteration),
      decision,
      comment,
      data,
      decidedBy,
    }),
  );
  update<DeliverArguments>(
    DELIVER_UPDATE,
    (request) => assertCanDeliver(compiled, driver.state, request, Date.now()),
    ({ nodeId, iteration = null, data = null }) => ({ type: 'webhook.received', ...ref(nodeId, iteration), data }),
  );
  update<PauseArguments>(
    PAUSE_UPDATE,
    () => assertCanPause(driver.state),
    ({ reason = null, by = null }) => ({ type: 'run.paused', reason, by }),
  );
  update<ResumeArguments>(
    RESUME_UPDATE,
    () => assertCanResume(driver.state),
    ({ by = null }) => ({ type: 'run.resumed', by }),
  );
  update<NodeArguments>(
    RETRY_UPDATE,
    (request) => assertCanRetry(compiled, driver.state, request),
    ({ nodeId, iteration = null, by = null }) => ({ type: 'node.retry_requested', ...ref(nodeId, iteration), by }),
  );
  update<SkipArguments>(
    SKIP_UPDATE,
    (request) => assertCanSkip(compiled, driver.state, request),
    ({ nodeId, iteration = null, output = null, by = null }) => ({
      type: 'node.skip_requested',
      ...ref(nodeId, iteration),
      output,
      by,
    }),
  );
  update<SetVariableArguments>(
    SET_VARIABLE_UPDATE,
    (request) => assertCanSetVariable(compiled, driver.state, request),
    ({ name, value = null, by = null }) => ({ type: 'variable.set', name, value, by }),
  );
  setHandler(defineSignal<[EventArguments]>(EVENT_SIGNAL), ({ id, name, correlation = null, data = null }) =>
    driver.receive({ type: 'event.received', at: Date.now(), id, name, correlation, data }),
  );
}
