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

/** Most workers of one stage: a page is not alone on the machine. */
const MOST_WORKERS = 8;

/**
 * Workers for `cores` cores on WASM. There may be more workers than cores, of which no more than there are
 * cores work at a time: whichever stage has something to do. Three quarters of an exact run are the embedding; of a fast one, half.
 *
 * @param isolated whether a session may have threads
 * @param mostEmbedders most workers of the embedding, for what each takes of memory
 */
export function planLanes(cores: number, speed: Speed, isolated: boolean, mostEmbedders = MOST_WORKERS): LanePlan {
  return {
    segmentation: lanesFor(speed === 'fast' ? cores : Math.ceil(cores / 2), isolated, MOST_WORKERS),
    embedding: lanesFor(cores, isolated, mostEmbedders),
  };
}

/** One worker a core; beyond the most workers, threads in each. */
function lanesFor(cores: number, isolated: boolean, most: number): Lanes {
  const workers = Math.min(cores, most);
  return { workers, threads: isolated ? Math.floor(cores / workers) : 1 };
}

/** On a GPU one worker of each stage has the device; its session's thread only feeds it. */
export const GPU_LANES: LanePlan = {
  segmentation: { workers: 1, threads: 1 },
  embedding: { workers: 1, threads: 1 },
};
