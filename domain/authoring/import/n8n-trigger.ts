import { isJsonObject } from '../../json.ts';
import type { TriggerSuggestion } from './imported.ts';
import type { N8nNode } from './n8n-file.ts';

/** How the workflow is started here instead. */
export function n8nTrigger(node: N8nNode, workflow: string): TriggerSuggestion {
  const { parameters } = node;
  switch (node.type) {
    case 'scheduleTrigger':
    case 'cron':
    case 'interval': {
      const cron = cronOf(node);
      return {
        kind: 'schedule',
        detail: `${node.name}: ${cron ?? 'a schedule that has no cron expression'}`,
        command: cron === null ? null : `weft schedule create ${workflow} --cron "${cron}"`,
      };
    }
    case 'webhook':
    case 'formTrigger':
      return {
        kind: 'webhook',
        detail: `${node.name}: ${String(parameters['httpMethod'] ?? 'GET')} ${String(parameters['path'] ?? '')}; the input of a run is what n8n has as $json`,
        command: `weft webhook create ${workflow}`,
      };
    case 'executeWorkflowTrigger':
      return { kind: 'run', detail: `${node.name}: other workflows run it`, command: null };
    case 'manualTrigger':
    case 'start':
      return { kind: 'manual', detail: `${node.name}: by hand`, command: `weft run start ${workflow}` };
    default:
      return {
        kind: 'event',
        detail: `${node.name}: ${node.type} has no counterpart; let it send an event`,
        command: null,
      };
  }
}

function cronOf({ parameters }: N8nNode): string | null {
  const rule = isJsonObject(parameters['rule']) ? parameters['rule']['interval'] : parameters['triggerTimes'];
  const [first] = Array.isArray(rule) ? rule : isJsonObject(rule) && Array.isArray(rule['item']) ? rule['item'] : [];
  if (!isJsonObject(first)) return null;
  const minute = Number(first['triggerAtMinute'] ?? first['minute'] ?? 0);
  const hour = Number(first['triggerAtHour'] ?? first['hour'] ?? 0);
  switch (first['field'] ?? first['mode'] ?? 'days') {
    case 'cronExpression':
    case 'custom':
      return String(first['expression'] ?? first['cronExpression'] ?? '') || null;
    case 'minutes':
    case 'everyMinute':
      return `*/${Number(first['minutesInterval'] ?? 1)} * * * *`;
    case 'hours':
    case 'everyHour':
      return `${minute} */${Number(first['hoursInterval'] ?? 1)} * * *`;
    case 'days':
    case 'everyDay':
      return `${minute} ${hour} * * *`;
    case 'weeks':
    case 'everyWeek': {
      const days = Array.isArray(first['triggerAtDay'])
        ? first['triggerAtDay'].join(',')
        : String(first['weekday'] ?? 1);
      return `${minute} ${hour} * * ${days || '1'}`;
    }
    case 'months':
    case 'everyMonth':
      return `${minute} ${hour} ${Number(first['triggerAtDayOfMonth'] ?? first['dayOfMonth'] ?? 1)} * *`;
    default:
      return null;
  }
}
