/** Speech takes more; a rate below it is a broken header. */
export const LEAST_SAMPLE_RATE = 1000;
export const MOST_SAMPLE_RATE = 768_000;
/** More audio tracks than any file has. */
export const MOST_TRACKS = 1000;
