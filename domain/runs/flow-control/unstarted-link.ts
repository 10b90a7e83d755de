/** Stands for Temporal's run id in the history of a run that was closed before it began. */
export const UNSTARTED_LINK = 'unstarted';
