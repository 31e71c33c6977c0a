import type { ConfidenceKind } from './confidence';

/** A local speaker's cluster is this where the speaker is silent in its window. */
export const INACTIVE = -2;

/** Every (window, local speaker) of a recording, row-major. */
export interface LocalSpeakers {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  readonly numWindows: number;
  readonly numFrames: number;
  readonly numSpeakers: number;
  readonly dimension: number;
}

/** How many speakers there may be. */
export interface SpeakerBounds {
  readonly minSpeakers: number;
  /** `Infinity` for no upper bound. */
  readonly maxSpeakers: number;
}

export interface ClusteringOptions extends SpeakerBounds {
  readonly threshold: number;
  readonly minClusterSize: number;
  /** An embedding takes part in clustering where its speaker talks alone for this share of the window. */
  readonly minActiveRatio: number;
}

export interface Clusters {
  /** Axes (window, local speaker): cluster index, or {@link INACTIVE}. */
  readonly hardClusters: Int32Array;
  /** Axes (cluster, dimension): mean of the embeddings that took part; NaN where none did. */
  readonly centroids: readonly Float64Array[];
}

/** A number of speakers, and how likely it is. */
export interface CountScore {
  /** Number of speakers. */
  readonly value: number;
  /** Share of the likelihood of all numbers, 0 to 1. */
  readonly score: number;
}

/** Clusters with how sure each local speaker's is. */
export interface JudgedClusters extends Clusters {
  /** Axes (window, local speaker), 0 to 1; NaN where nothing is known. */
  readonly confidences: Float64Array;
  readonly confidenceKind: ConfidenceKind;
  /** How likely each number of speakers is, the most likely first; absent if the method does not tell. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each entry of the anchors, -1 where none of its stretches is heard; absent without anchors. */
  readonly anchorClusters?: readonly number[];
}

/** Rows, as window × speaker, that are free of NaN and whose speaker talks alone long enough. */
export function trainableRows({ activity, embeddings, ...sizes }: LocalSpeakers, minActiveRatio: number): number[] {
  const { numWindows, numFrames, numSpeakers, dimension } = sizes;
  const rows: number[] = [];
  const aloneFrames = new Int32Array(numSpeakers);
  for (let window = 0; window < numWindows; window++) {
    aloneFrames.fill(0);
    for (let frame = 0; frame < numFrames; frame++) {
      const start = (window * numFrames + frame) * numSpeakers;
      let alone = -1;
      let count = 0;
      for (let speaker = 0; speaker < numSpeakers; speaker++) {
        if (!activity[start + speaker]) continue;
        alone = speaker;
        count++;
      }
      if (count === 1) aloneFrames[alone] = aloneFrames[alone]! + 1;
    }
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      const row = window * numSpeakers + speaker;
      const valid = embeddings.subarray(row * dimension, (row + 1) * dimension).every((x) => !Number.isNaN(x));
      if (valid && aloneFrames[speaker]! >= minActiveRatio * numFrames) rows.push(row);
    }
  }
  return rows;
}

/** Takes local speakers that are silent in their window out of every cluster, in place. */
export function markInactive(
  { activity, numWindows, numFrames, numSpeakers }: LocalSpeakers,
  hardClusters: Int32Array,
): void {
  for (let window = 0; window < numWindows; window++) {
    for (let speaker = 0; speaker < numSpeakers; speaker++) {
      let active = false;
      for (let frame = 0; frame < numFrames && !active; frame++) {
        active = activity[(window * numFrames + frame) * numSpeakers + speaker] === 1;
      }
      if (!active) hardClusters[window * numSpeakers + speaker] = INACTIVE;
    }
  }
}
