import { AgglomerativeClusterer } from '../clustering/agglomerativeClusterer';
import type { AnyPlda } from '../clustering/anyPlda';
import { anchoredRows, type AnchoredRows, type Anchors } from '../clustering/anchors';
import type { JudgedClusters, SpeakerBounds } from '../clustering/cluster';
import type { Dendrogram } from '../clustering/dendrogram';
import { EvidenceClusterer } from '../clustering/evidenceClusterer';
import { VbxClusterer } from '../clustering/vbxClusterer';
import { VoiceTable } from '../clustering/voiceTable';
import { spreadEmbeddings } from '../embedding/spread';
import { turnConfidence } from '../timeline/confidence';
import { countSpeakers } from '../timeline/counting';
import { clusterVotes, mostHeard } from '../timeline/reconstruct';
import { applyExclusiveMinDurations, applyMinDurations, NO_MIN_DURATIONS, type MinDurations } from '../timeline/minDurations';
import { turnsOf, type IndexedTurn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import type { Assembly, AssemblyInput } from './assemble';

interface Clusterer {
  /** The linkage, where it was made. */
  readonly dendrogram: Dendrogram | null;
  warm(): void;
  /** Does a piece of what another number of speakers would want. @returns whether there is more to do */
  anticipate(): boolean;
  cluster(bounds: SpeakerBounds, anchored: AnchoredRows | null): JudgedClusters;
}

/**
 * `assemble` for one recording and any number of speakers, with or without anchors: what does not depend on these is done
 * once, so that another number costs a fraction of the first.
 */
export class Assembler {
  private readonly clusterer: Clusterer;
  private readonly table: VoiceTable;
  /** How many people talk, before there is a bound on them; axes (recording frame). */
  private readonly speakersPerFrame: Uint8Array;
  private readonly countingSeconds: number;
  /** Those that were given last, and what they came from. */
  private anchored: { readonly key: string; readonly rows: AnchoredRows } | null = null;

  /**
   * @param plda for the methods `vbx` and `evidence`
   * @param known the linkage, where it was made before; one of other embeddings is not used
   * @throws VoxlaneError `options` where the method wants a PLDA and has none
   */
  constructor(
    private readonly input: AssemblyInput,
    plda: AnyPlda | null = null,
    known: Dendrogram | null = null,
  ) {
    const { activity, numSpeakers, dimension, geometry } = input;
    const start = performance.now();
    this.speakersPerFrame = countSpeakers(activity, numSpeakers, geometry);
    this.countingSeconds = secondsSince(start);
    const numFrames = geometry.framesPerWindow;
    const numWindows = activity.length / (numFrames * numSpeakers);
    const embeddings = input.embedded?.includes(0) ? spreadEmbeddings({ ...input, embedded: input.embedded }) : input.embeddings;
    this.table = new VoiceTable({ activity, embeddings, numWindows, numFrames, numSpeakers, dimension });
    this.clusterer = makeClusterer(this.table, input, plda, known);
  }

  /** The linkage, where it was made. */
  get dendrogram(): Dendrogram | null {
    return this.clusterer.dendrogram;
  }

  /** Does now what every number of speakers wants. */
  warm(): void {
    this.clusterer.warm();
  }

  /** Does a piece of what another number of speakers would want, for when there is time. @returns whether there is more to do */
  anticipate(): boolean {
    return this.clusterer.anticipate();
  }

  /**
   * @param anchors seconds from the start of the first window
   * @param minDurations default: those of the input
   * @throws VoxlaneError `options` where the anchors speak of more people than there may be, or the PLDA is of other
   * embeddings
   */
  assemble(
    bounds: SpeakerBounds,
    anchors: Anchors = [],
    minDurations: MinDurations = this.input.minDurations ?? NO_MIN_DURATIONS,
  ): Assembly {
    const { activity, numSpeakers, geometry, options } = this.input;
    const start = performance.now();
    const clusters = this.clusterer.cluster(bounds, this.anchor(anchors));
    const clusteringSeconds = secondsSince(start);

    const clustered = performance.now();
    const { hardClusters, confidences } = clusters;
    // No more people can talk at once than there are in the room. pyannote makes up speakers where more do than were found.
    const most = options.method === 'evidence' ? Math.min(bounds.maxSpeakers, clusters.centroids.length) : bounds.maxSpeakers;
    const count = this.speakersPerFrame.map((value) => Math.min(value, most));
    const stitch = { activity, hardClusters, numLocalSpeakers: numSpeakers, geometry };
    const votes = clusterVotes({ ...stitch, count });
    const diarization = mostHeard(votes, count);
    const exclusive = mostHeard(votes, count.map((value) => Math.min(value, 1)));
    const judged = (turns: readonly IndexedTurn[]): IndexedTurn[] =>
      turns.map((turn) => ({ ...turn, confidence: turnConfidence(turn, { ...stitch, confidences }) }));
    const turns = judged(applyMinDurations(turnsOf(diarization, geometry.frames), minDurations));
    const exclusiveTurns = judged(applyExclusiveMinDurations(turnsOf(exclusive, geometry.frames), minDurations));
    const { centroids, confidenceKind, counts, anchorClusters } = clusters;
    return {
      hardClusters,
      centroids,
      count,
      diarization,
      turns,
      exclusiveTurns,
      confidenceKind,
      ...(counts && { counts }),
      ...(anchorClusters && { anchorClusters }),
      seconds: {
        counting: this.countingSeconds,
        clustering: clusteringSeconds,
        reconstruction: secondsSince(clustered),
      },
    };
  }

  /** Null where no stretch of the anchors is heard: they have no effect then. */
  private anchor(anchors: Anchors): AnchoredRows | null {
    if (anchors.length === 0) return null;
    const key = JSON.stringify(anchors);
    if (this.anchored?.key !== key) this.anchored = { key, rows: anchoredRows(anchors, this.table, this.input.geometry) };
    const { rows } = this.anchored;
    return rows.heard.length > 0 ? rows : null;
  }
}

function makeClusterer(
  table: VoiceTable,
  { options, embedded }: AssemblyInput,
  plda: AnyPlda | null,
  known: Dendrogram | null,
): Clusterer {
  if (options.method === 'agglomerative') return new AgglomerativeClusterer(table, options, known);
  if (options.method === 'vbx' && plda?.form === 'lda') return new VbxClusterer(table, plda, options, known);
  if (options.method === 'evidence' && plda?.form === 'two-covariance') {
    return new EvidenceClusterer(table, plda, options, embedded ?? null, known);
  }
  throw new VoxlaneError({
    code: 'options',
    problem: `The clustering ${options.method} was asked for with ${plda ? `a PLDA of the form ${plda.form}` : 'no PLDA'}`,
    expected: `a PLDA of the same embedding model, of the form ${options.method === 'vbx' ? 'lda' : 'two-covariance'}`,
    remedy: 'Name one in the settings of the preset',
  });
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;
