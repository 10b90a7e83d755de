/** Of archived events, in the data folder. */
export const ARCHIVE_FOLDER = 'archive';
