/** In Hz. Speech needs more: a lower rate is a broken header. */
export const LEAST_SAMPLE_RATE = 1000;
export const MOST_SAMPLE_RATE = 768_000;
/** No file has more audio tracks. */
export const MOST_TRACKS = 1000;
