/** Separate from the settings, so that readers of the names do not load their schema. */

/** `offline` splits a whole recording into chunks; the others decide frames with little delay. Names as in the reference. */
export type StreamMode = 'offline' | 'low_latency' | 'very_low_latency' | 'ultra_low_latency';

/** Names of the streaming modes, as in the processor of the reference. */
export const STREAMING_MODES = ['low_latency', 'very_low_latency', 'ultra_low_latency'] as const satisfies readonly StreamMode[];

/** All modes. The first is the default. */
export const STREAM_MODES: readonly [StreamMode, ...StreamMode[]] = ['offline', ...STREAMING_MODES];
