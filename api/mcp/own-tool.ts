import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { ServedAnswer, ServedCall, ServedTool } from '../../domain/tools/served-tools.ts';

/** A tool as it is written here: what it takes, and what it does for whom. */
export type OwnTool<Caller> = Omit<ServedTool, 'inputSchema'> & {
  input: z.ZodObject;
  run: (caller: Caller, input: never, call: ServedCall<AbortSignal>) => Promise<ServedAnswer>;
};

/** Keeps what `input` says of the arguments for `run`. */
export const ownTool = <Caller, Input extends z.ZodObject>(
  tool: Omit<OwnTool<Caller>, 'input' | 'run'> & {
    input: Input;
    run: (caller: Caller, input: z.infer<Input>, call: ServedCall<AbortSignal>) => Promise<ServedAnswer>;
  },
): OwnTool<Caller> => tool;

export function servedTool(tool: OwnTool<never>): ServedTool {
  return { ...tool, inputSchema: z.toJSONSchema(tool.input, { io: 'input' }) as JsonObject };
}

/** @throws INPUT_INVALID, and what the tool throws */
export function callOwnTool<Caller>(
  tool: OwnTool<Caller>,
  caller: Caller,
  call: ServedCall<AbortSignal>,
): Promise<ServedAnswer> {
  const parsed = tool.input.safeParse(call.arguments);
  if (parsed.success) return tool.run(caller, parsed.data as never, call);
  const paths = parsed.error.issues.map(({ path, message }) => ({ path: `/${path.join('/')}`, message }));
  const detail = paths.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new AppError('INPUT_INVALID', { detail, paths });
}

/** As it goes over the wire: moments are texts. */
export const answerOf = (value: unknown): ServedAnswer => ({ value: JSON.parse(JSON.stringify(value)) as Json });
