import { ApplicationFailure, sleep, workflowInfo } from '@temporalio/workflow';

/** Fails at its first attempt, for what follows a run over the attempts of its own retry policy. */
export async function attempted(): Promise<string> {
  const { attempt } = workflowInfo();
  if (attempt === 1) throw ApplicationFailure.retryable('not yet');
  return `done in attempt ${attempt}`;
}

/** Waits until it is ended from outside. */
export async function waiting(): Promise<void> {
  await sleep('1 hour');
}
