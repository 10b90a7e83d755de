import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { toFailure } from '../activities/to-failure.ts';
import { AppError } from '../domain/errors.ts';

/** Fails an activity whose result has more bytes of JSON than a payload may have; trying again would give the same. */
export function limitResults(limitBytes: number): ActivityInterceptorsFactory {
  return () => ({
    inbound: {
      async execute(input, next) {
        const result = await next(input);
        const bytes = Buffer.byteLength(JSON.stringify(result) ?? '');
        if (bytes <= limitBytes) return result;
        throw toFailure(new AppError('PAYLOAD_TOO_LARGE', { bytes, limitBytes }));
      },
    },
  });
}
