import type { EventActivities } from '../../domain/runs/triggers/event.ts';
import type { ScheduleActivities } from '../../domain/runs/triggers/schedule.ts';
import { CHILD_RESULT_ACTIVITY } from '../../domain/runs/messages.ts';
import { childResult, type ChildResultDependencies } from './child-result.ts';
import { emit, type EmitDependencies } from './emit.ts';
import { createScheduleActivities, type ScheduleDependencies } from './schedule-activities.ts';

export type RunDependencies = EmitDependencies & ScheduleDependencies & ChildResultDependencies;

export function createRunActivities(dependencies: RunDependencies) {
  return {
    emit: emit(dependencies),
    [CHILD_RESULT_ACTIVITY]: childResult(dependencies),
    ...createScheduleActivities(dependencies),
  } satisfies EventActivities & ScheduleActivities & { [CHILD_RESULT_ACTIVITY]: ReturnType<typeof childResult> };
}
