/** Where the engine can run. */
export const ENGINES = ['node', 'browser'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Help of `--engine`. */
export const ENGINE_HELP = 'run in Node or in a headless browser (default node; browser if WebGPU is requested and Node has no GPU)';
