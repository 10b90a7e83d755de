/** Task queues of this product; `runs` carries the workflows themselves and the light activities. */
export const TASK_QUEUES = ['runs', 'content', 'models'] as const;
export type TaskQueue = (typeof TASK_QUEUES)[number];
