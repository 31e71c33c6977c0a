import type { ClusteringOptions, Clusters, CountScore, SpeakerBounds } from '../clustering/cluster';
import type { ConfidenceKind } from '../clustering/confidence';
import type { AnyPlda } from '../clustering/anyPlda';
import type { EvidenceSettings } from '../clustering/evidenceSettings';
import type { VbxClusteringOptions } from '../clustering/vbxClustering';
import type { TimeGeometry } from '../timeline/geometry';
import type { MinDurations } from '../timeline/minDurations';
import type { DiscreteDiarization } from '../timeline/reconstruct';
import type { IndexedTurn } from '../timeline/turns';
import { Assembler } from './assembler';

/** How local speakers become people. */
export type ClusteringChoice =
  | ({ readonly method: 'agglomerative' } & ClusteringOptions)
  /** Wants a PLDA of the same embedding model. */
  | ({ readonly method: 'vbx' } & VbxClusteringOptions)
  /** Needs a two-covariance PLDA of the same embedding model. */
  | ({ readonly method: 'evidence' } & EvidenceSettings & SpeakerBounds);

/** What holds for a whole recording. */
export interface AssemblyFacts {
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly options: ClusteringChoice;
  /** Frames that must be a speaker's alone for them to stand for the speaker; see `minCleanFrames`. */
  readonly minCleanFrames: number;
  /** Shortest turns and gaps; absent: turns are as the frames have them. */
  readonly minDurations?: MinDurations;
}

export interface AssemblyInput extends AssemblyFacts {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  /** Axes (window), 1 where the window was embedded; absent where all were. The others get a mean of those. */
  readonly embedded?: Uint8Array;
}

export interface Assembly extends Clusters {
  /** How many people talk; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  /** What the turns' `confidence` is. */
  readonly confidenceKind: ConfidenceKind;
  /** How likely each number of speakers is, the most likely first; absent if the method does not tell. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each entry of the anchors, -1 where none of its stretches is heard; absent without anchors. */
  readonly anchorClusters?: readonly number[];
  readonly seconds: { readonly counting: number; readonly clustering: number; readonly reconstruction: number };
}

/**
 * Everything after the models: from what each window hears to who spoke when.
 *
 * Matches the end of `SpeakerDiarization.apply` of pyannote.audio 4.0.7.
 *
 * @param plda for the methods `vbx` and `evidence`
 * @throws VoxlaneError `options` where the method wants a PLDA and has none, or one of other embeddings
 */
export function assemble(input: AssemblyInput, plda: AnyPlda | null = null): Assembly {
  return new Assembler(input, plda).assemble(input.options);
}
