import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { jitterRetry } from '../activities/jitter-retry.ts';
import { RETRY_JITTER_HEADER } from '../domain/runs/retry-delay.ts';

/** Spreads the retries of nodes that ask for it; timeouts are the server's to retry, by the plain backoff. */
export function jitterRetries(): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const header = input.headers[RETRY_JITTER_HEADER];
        if (!header) return next(input);
        try {
          return await next(input);
        } catch (error) {
          throw jitterRetry(error, info, defaultPayloadConverter.fromPayload<number>(header));
        }
      },
    },
  });
}
