import { describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { AppError } from '../../domain/errors.ts';
import { formatError } from './format-error.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';

describe('formatError', () => {
  it('carries code, hint and the fields that callers can work with', () => {
    const paths = [{ path: '/a', message: 'must be string' }];
    const { formatted, logged } = format(
      new AppError('INPUT_INVALID', { detail: '/a must be string', paths, secret: 1 }),
    );
    expect(formatted).toEqual({
      message: 'The input is not valid: /a must be string',
      path: ['field'],
      extensions: { code: 'INPUT_INVALID', hint: expect.stringContaining('paths'), paths },
    });
    expect(logged).toEqual([]);
  });

  it('hides what it does not know, and logs it with the trace id in the answer', () => {
    const inner = new TypeError("cannot read 'password' of undefined");
    const { formatted, logged } = format(inner);
    expect(formatted.extensions).toEqual({ code: 'INTERNAL', traceId });
    expect(JSON.stringify(formatted)).not.toMatch(/password|stack/);
    expect(logged).toEqual([inner]);
  });

  it('hides the cause of an INTERNAL error too', () => {
    const { formatted, logged } = format(new AppError('INTERNAL', {}, new Error('pg said no')));
    expect(formatted.extensions).toEqual({ code: 'INTERNAL', traceId });
    expect(logged).toHaveLength(1);
  });

  it("keeps GraphQL's own refusals", () => {
    const refusal = {
      message: 'Cannot query field',
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED', stacktrace: ['x'] },
    };
    expect(formatError(refusal, new GraphQLError('Cannot query field'), traceId, () => undefined)).toEqual({
      message: 'Cannot query field',
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
  });

  it('tells an unreachable database from a fault of ours', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' });
    const { formatted } = format(refused);
    expect(formatted.extensions?.['code']).toBe('DATABASE_UNAVAILABLE');
    expect(JSON.stringify(formatted)).not.toContain('10.1.2.3');
  });
});

function format(original: Error) {
  const logged: unknown[] = [];
  const wrapped = new GraphQLError(original.message, { originalError: original, path: ['field'] });
  const formatted = formatError(
    { message: original.message, path: ['field'], extensions: { code: 'INTERNAL_SERVER_ERROR', stacktrace: ['at x'] } },
    wrapped,
    traceId,
    (error) => logged.push(error),
  );
  return { formatted, logged };
}
