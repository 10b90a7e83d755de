import { DefaultFailureConverter } from '@temporalio/common';

/** A worker that has a key replaces it by `encoded` in the text of the bundle: nothing else tells the sandbox of settings. */
const MESSAGES: string = 'weft-failure-messages:readable';

/** Loaded by path into the workflow sandbox. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: !MESSAGES.endsWith('readable') });
