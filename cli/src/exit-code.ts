import { printFailure } from './print-failure.ts';
import { UsageError } from './usage-error.ts';

/** Ends with the exit code that the work gives; 2 says that the command could not be understood, 1 that it failed. */
export async function exitCode(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    printFailure(error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
