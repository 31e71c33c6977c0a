import { clusterLocalSpeakers, type ClusteringOptions, type Clusters } from '../clustering/cluster';
import { countSpeakers } from '../timeline/counting';
import type { TimeGeometry } from '../timeline/geometry';
import { reconstruct, type DiscreteDiarization } from '../timeline/reconstruct';
import { turnsOf, type IndexedTurn } from '../timeline/turns';

export interface AssemblyInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly options: ClusteringOptions;
}

export interface Assembly extends Clusters {
  /** How many people talk; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  readonly seconds: { readonly counting: number; readonly clustering: number; readonly reconstruction: number };
}

/**
 * Everything after the models: from what each window hears to who spoke when.
 *
 * Matches the end of `SpeakerDiarization.apply` of pyannote.audio 4.0.7.
 */
export function assemble({ activity, embeddings, numSpeakers, dimension, geometry, options }: AssemblyInput): Assembly {
  const start = performance.now();
  const speakersPerFrame = countSpeakers(activity, numSpeakers, geometry);
  const counted = performance.now();

  const numFrames = geometry.framesPerWindow;
  const numWindows = activity.length / (numFrames * numSpeakers);
  const local = { activity, embeddings, numWindows, numFrames, numSpeakers, dimension };
  const clusters = clusterLocalSpeakers(local, options);
  const clustered = performance.now();

  // No more people can talk at once than there are in the room.
  const count = speakersPerFrame.map((value) => Math.min(value, options.maxSpeakers));
  const stitch = { activity, hardClusters: clusters.hardClusters, numLocalSpeakers: numSpeakers, geometry };
  const diarization = reconstruct({ ...stitch, count });
  const exclusive = reconstruct({ ...stitch, count: count.map((value) => Math.min(value, 1)) });
  return {
    ...clusters,
    count,
    diarization,
    turns: turnsOf(diarization, geometry.frames),
    exclusiveTurns: turnsOf(exclusive, geometry.frames),
    seconds: {
      counting: (counted - start) / 1000,
      clustering: (clustered - counted) / 1000,
      reconstruction: (performance.now() - clustered) / 1000,
    },
  };
}
