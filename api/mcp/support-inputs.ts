import { z } from 'zod';
import { PRIORITIES } from '../../domain/tools/support/read-message.ts';

/** Postgres' text cannot hold NUL. */
export const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes('\0'), 'may not hold NUL');
export const id = text(200).min(1);
export const ticket = {
  ticket_id: id,
  customer_id: id,
  message: text(20_000).min(1),
  priority: z.enum(PRIORITIES),
};
