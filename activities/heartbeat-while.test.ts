import { describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { AppError } from '../domain/errors.ts';
import { heartbeatWhile } from './heartbeat-while.ts';
import { activityEnvironment } from '../tests/activity-environment.ts';

const unsupported = () => Promise.reject(new AppError('CONTENT_UNSUPPORTED', { detail: 'x' }));

describe('heartbeatWhile', () => {
  it('heartbeats as long as the work lasts', async () => {
    const environment = activityEnvironment();
    const beaten = Promise.withResolvers<void>();
    let beats = 0;
    environment.on('heartbeat', () => {
      beats += 1;
      if (beats === 2) beaten.resolve();
    });
    await environment.run(() => heartbeatWhile(() => beaten.promise));
    expect(beats).toBe(2);
  });

  it('gives the answer of the work', async () => {
    expect(await activityEnvironment().run(() => heartbeatWhile(async () => 7))).toBe(7);
  });

  it('turns errors into failures of the table', async () => {
    await expect(activityEnvironment().run(() => heartbeatWhile(unsupported))).rejects.toMatchObject({
      type: 'CONTENT_UNSUPPORTED',
      nonRetryable: true,
    });
  });

  it('hands cancellation to the work and ends as cancelled, however the work takes it', async () => {
    for (const rejection of [new Error('aborted'), new AppError('HTTP_UNAVAILABLE')]) {
      const environment = activityEnvironment();
      const work = (signal: AbortSignal) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(rejection)));
      const running = environment.run(() => heartbeatWhile(work));
      environment.cancel();
      await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    }
  });
});
