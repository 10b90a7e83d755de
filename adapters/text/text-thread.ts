import { parentPort } from 'node:worker_threads';
import { AppError, type ErrorCode, type ErrorFields } from '../../domain/errors.ts';
import { runTextJob, type TextJob, type TextJobs } from './text-job.ts';
import { createTokenizer } from './tokenize.ts';

export type TextReply =
  { output: TextJobs[keyof TextJobs]['output'] } | { code: ErrorCode; fields: ErrorFields } | { crash: string };

const tokenize = createTokenizer();

parentPort!.on('message', (job: TextJob) => parentPort!.postMessage(replyTo(job)));

function replyTo(job: TextJob): TextReply {
  try {
    return { output: runTextJob(tokenize, job) };
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, fields: error.fields };
    return { crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
