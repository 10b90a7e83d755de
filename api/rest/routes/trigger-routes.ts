import { z } from 'zod';
import type { RestRoute } from '../rest-route.ts';
import { json, name, PAGE, page, SCHEDULE, text, WEBHOOK } from './views.ts';

const moment = z.iso.datetime({ offset: true });
const OVERLAP = z.enum(['SKIP', 'BUFFER_ONE', 'BUFFER_ALL', 'CANCEL_OTHER', 'TERMINATE_OTHER', 'ALLOW_ALL']);
const SPEC = z.strictObject({
  crons: z.array(text(200)).max(100).optional(),
  intervals: z
    .array(z.strictObject({ everySeconds: z.int().min(1), offsetSeconds: z.int().min(0).optional() }))
    .max(100)
    .optional(),
  timeZone: text(100).optional(),
  startAt: moment.optional(),
  endAt: moment.optional(),
  jitterSeconds: z.int().min(0).optional(),
});
const schedule = {
  name: text(200).optional(),
  version: z.int().min(1).optional(),
  input: json.optional(),
  mapping: json.optional(),
  overlap: OVERLAP.optional(),
  catchupWindowSeconds: z.int().min(0).optional(),
  pauseOnFailure: z.boolean().optional(),
};
const webhook = { name: text(200).optional(), version: z.int().min(1).optional(), mapping: json.optional() };
const DECLARED = `$name: String, $version: Int, $input: JSON, $mapping: JSON, $overlap: OverlapPolicy,
  $catchupWindowSeconds: Int, $pauseOnFailure: Boolean`;
const GIVEN = `name: $name, version: $version, input: $input, mapping: $mapping, overlap: $overlap,
  catchupWindowSeconds: $catchupWindowSeconds, pauseOnFailure: $pauseOnFailure`;

function scheduleAct(verb: string, operation: RestRoute['operation'], summary: string): RestRoute {
  return {
    method: 'post',
    path: `/schedules/{id}/${verb}`,
    operation,
    summary,
    body: z.strictObject({}),
    document: `mutation ($id: ID!) { ${operation}(id: $id) { ${SCHEDULE} } }`,
  };
}

export const TRIGGER_ROUTES: readonly RestRoute[] = [
  {
    method: 'post',
    path: '/schedules',
    operation: 'createSchedule',
    summary: 'Start runs of a workflow at given times.',
    body: z.strictObject({
      workflowId: name,
      spec: SPEC,
      id: text(200).optional(),
      ...schedule,
      paused: z.boolean().optional(),
      note: text().optional(),
    }),
    document: `mutation ($workflowId: ID!, $spec: ScheduleSpecInput!, $id: ID, ${DECLARED}, $paused: Boolean, $note: String) {
      createSchedule(workflowId: $workflowId, spec: $spec, id: $id, ${GIVEN}, paused: $paused, note: $note) { ${SCHEDULE} }
    }`,
    status: 201,
    location: ({ id }: { id: string }) => `/schedules/${encodeURIComponent(id)}`,
  },
  {
    method: 'get',
    path: '/schedules',
    operation: 'schedules',
    summary: 'Schedules, newest first.',
    query: z.strictObject({ ...page, workflowId: text(200).optional() }),
    document: `query ($first: Int, $after: String, $workflowId: ID) {
      schedules(first: $first, after: $after, workflowId: $workflowId) { edges { node { ${SCHEDULE} } } ${PAGE} }
    }`,
  },
  {
    method: 'get',
    path: '/schedules/{id}',
    operation: 'schedule',
    summary: 'A schedule.',
    document: `query ($id: ID!) { schedule(id: $id) { ${SCHEDULE} } }`,
  },
  {
    method: 'patch',
    path: '/schedules/{id}',
    operation: 'updateSchedule',
    summary: 'Change a schedule; what is left out stays.',
    body: z.strictObject({ ...schedule, spec: SPEC.optional() }),
    document: `mutation ($id: ID!, $spec: ScheduleSpecInput, ${DECLARED}) {
      updateSchedule(id: $id, spec: $spec, ${GIVEN}) { ${SCHEDULE} }
    }`,
  },
  {
    method: 'delete',
    path: '/schedules/{id}',
    operation: 'deleteSchedule',
    summary: 'Delete a schedule; its runs stay.',
    document: 'mutation ($id: ID!) { deleteSchedule(id: $id) }',
    status: 204,
  },
  scheduleAct('pause', 'pauseSchedule', 'No run starts until it is resumed.'),
  scheduleAct('resume', 'unpauseSchedule', 'Let a paused schedule go on.'),
  scheduleAct('trigger', 'triggerSchedule', 'Start a run now.'),
  {
    method: 'post',
    path: '/webhooks',
    operation: 'createWebhook',
    summary: 'Start runs of a workflow by signed messages. The secret is shown once.',
    body: z.strictObject({ workflowId: name, id: text(200).optional(), ...webhook, enabled: z.boolean().optional() }),
    document: `mutation ($workflowId: ID!, $id: ID, $name: String, $version: Int, $mapping: JSON, $enabled: Boolean) {
      createWebhook(workflowId: $workflowId, id: $id, name: $name, version: $version, mapping: $mapping, enabled: $enabled) {
        secret webhook { ${WEBHOOK} }
      }
    }`,
    status: 201,
    location: ({ webhook: { id } }: { webhook: { id: string } }) => `/webhooks/${encodeURIComponent(id)}`,
  },
  {
    method: 'get',
    path: '/webhooks',
    operation: 'webhooks',
    summary: 'Webhooks, newest first.',
    query: z.strictObject({ ...page, workflowId: text(200).optional() }),
    document: `query ($first: Int, $after: String, $workflowId: ID) {
      webhooks(first: $first, after: $after, workflowId: $workflowId) { edges { node { ${WEBHOOK} } } ${PAGE} }
    }`,
  },
  {
    method: 'get',
    path: '/webhooks/{id}',
    operation: 'webhook',
    summary: 'A webhook, without its secrets.',
    document: `query ($id: ID!) { webhook(id: $id) { ${WEBHOOK} } }`,
  },
  {
    method: 'patch',
    path: '/webhooks/{id}',
    operation: 'updateWebhook',
    summary: 'Change a webhook; what is left out stays.',
    body: z.strictObject({ ...webhook, enabled: z.boolean().optional() }),
    document: `mutation ($id: ID!, $name: String, $version: Int, $mapping: JSON, $enabled: Boolean) {
      updateWebhook(id: $id, name: $name, version: $version, mapping: $mapping, enabled: $enabled) { ${WEBHOOK} }
    }`,
  },
  {
    method: 'delete',
    path: '/webhooks/{id}',
    operation: 'deleteWebhook',
    summary: 'Delete a webhook.',
    document: 'mutation ($id: ID!) { deleteWebhook(id: $id) }',
    status: 204,
  },
];
