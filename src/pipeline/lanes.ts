import type { Speed } from './settings';

/** Workers of one stage, and the threads of each. */
export interface Lanes {
  readonly workers: number;
  readonly threads: number;
}

/** How the processor's cores are shared out. */
export interface LanePlan {
  readonly segmentation: Lanes;
  readonly embedding: Lanes;
}

/** Most workers of one stage: each holds a model and a heap of its own. */
const MOST_WORKERS = 4;

/**
 * Workers for `cores` cores on WASM. There may be more threads than cores: segmentation runs ahead of the embedding,
 * and whoever has nothing to do waits. Three quarters of an exact run are the embedding; of a fast one, segmentation.
 *
 * @param isolated whether a session may have threads
 */
export function planLanes(cores: number, speed: Speed, isolated: boolean): LanePlan {
  const many = lanesFor(cores, isolated);
  const few = lanesFor(Math.ceil(cores / 2), isolated);
  return speed === 'fast' ? { segmentation: many, embedding: few } : { segmentation: few, embedding: many };
}

/** One worker a core; beyond the most workers, threads in each. */
function lanesFor(cores: number, isolated: boolean): Lanes {
  const workers = Math.min(cores, MOST_WORKERS);
  return { workers, threads: isolated ? Math.floor(cores / workers) : 1 };
}

/** On a GPU one worker of each stage has the device; its session's thread only feeds it. */
export const GPU_LANES: LanePlan = {
  segmentation: { workers: 1, threads: 1 },
  embedding: { workers: 1, threads: 1 },
};
