import type { PlanStep } from './compile-plan.ts';
import { type Cursor, moveCursor } from './cursor.ts';
import { type Execution, runFetch } from './run-fetch.ts';

/** Runs a plan to its end; what it would defer comes last. */
export async function runPlan<Context>(step: PlanStep, cursor: Cursor, run: Execution<Context>): Promise<void> {
  switch (step.kind) {
    case 'fetch':
      return runFetch(step, cursor, run);
    case 'sequence':
      for (const child of step.steps) await runPlan(child, cursor, run);
      return;
    case 'parallel':
      await Promise.all(step.steps.map((child) => runPlan(child, cursor, run)));
      return;
    case 'flatten':
      return runPlan(step.step, moveCursor(cursor, step.path), run);
    case 'condition': {
      const branch = run.conditions[step.variable] === true ? step.yes : step.no;
      if (branch !== null) await runPlan(branch, cursor, run);
      return;
    }
    case 'defer':
      if (step.primary !== null) await runPlan(step.primary, cursor, run);
      for (const part of step.parts) if (part.step !== null) await runPlan(part.step, cursor, run);
  }
}
