import { DefaultFailureConverter } from '@temporalio/common';

/** Puts messages and stacks of failures into a payload, which the codecs encrypt. Loaded by path. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
