import type { Anchors } from '../clustering/anchors';
import { nameTurns, speakerLabel, speakerLabels, type IndexedTurn } from '../timeline/turns';
import type { Engine } from './engine';
import type { Speaker, Turn, UsedModel } from './types';

/** What names need of an assembly. */
export interface NamelessTurns {
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  readonly centroids: readonly Float64Array[];
  readonly anchorClusters?: readonly number[];
}

export interface NamedTurns {
  readonly turns: readonly Turn[];
  readonly exclusiveTurns: readonly Turn[];
  readonly speakers: readonly Speaker[];
}

/** What centroids are of. */
export interface CentroidFacts {
  /** Size of one embedding. */
  readonly dimension: number;
  /** SHA-256 of the embedding model. */
  readonly embeddingModel: string;
}

/** The models' files that a result of this engine comes from, in the order of the work. */
export function usedModels(
  engine: Pick<Engine, 'segmentationModel' | 'embeddingModel' | 'pldaModel'> & {
    readonly settings: Pick<Engine['settings'], 'segmentation' | 'embedding' | 'clustering'>;
  },
): UsedModel[] {
  const { settings, segmentationModel, embeddingModel, pldaModel } = engine;
  const { segmentation, embedding, clustering } = settings;
  return [
    { stage: 'segmentation', id: segmentation, sha256: segmentationModel },
    { stage: 'embedding', id: embedding, sha256: embeddingModel },
    ...(clustering.method !== 'agglomerative' && pldaModel !== null ? [{ stage: 'plda', id: clustering.plda, sha256: pldaModel } as const] : []),
  ];
}

/**
 * Names the speakers, and moves the turns to where the analyzed stretch starts.
 *
 * @param assembly null where nobody spoke
 */
export function nameSpeakers(
  assembly: NamelessTurns | null,
  startSeconds: number,
  facts: CentroidFacts,
  anchors: Anchors = [],
): NamedTurns {
  const labels = anchoredLabels(speakerLabels(assembly?.turns ?? []), assembly?.anchorClusters ?? [], anchors);
  const turns = nameTurns(assembly?.turns ?? [], labels, startSeconds);
  const seconds = new Map<string, number>();
  for (const turn of turns) seconds.set(turn.speaker, (seconds.get(turn.speaker) ?? 0) + (turn.endSeconds - turn.startSeconds));
  return {
    turns,
    exclusiveTurns: nameTurns(assembly?.exclusiveTurns ?? [], labels, startSeconds),
    speakers: [...labels].map(([cluster, label]) => ({
      label,
      centroid: centroidOf(assembly?.centroids[cluster], facts.dimension),
      embeddingModel: facts.embeddingModel,
      speechSeconds: seconds.get(label) ?? 0,
    })),
  };
}

/** Clusters of anchors are called as these are; the others take the lowest labels that no anchor has, in their order. */
function anchoredLabels(
  labels: ReadonlyMap<number, string>,
  anchorClusters: readonly number[],
  anchors: Anchors,
): ReadonlyMap<number, string> {
  if (anchors.length === 0) return labels;
  const given = new Map(anchorClusters.map((cluster, group) => [cluster, anchors[group]!.speaker]));
  const taken = new Set(anchors.map(({ speaker }) => speaker));
  let next = 0;
  const freeLabel = (): string => {
    for (;;) {
      const label = speakerLabel(next++);
      if (!taken.has(label)) return label;
    }
  };
  return new Map([...labels.keys()].map((cluster) => [cluster, given.get(cluster) ?? freeLabel()]));
}

/** A cluster that no embedding took part in has a NaN centroid, and a speaker beyond the clusters has none. */
function centroidOf(centroid: Float64Array | undefined, dimension: number): Float32Array {
  const isUsable = centroid && !centroid.some((value) => Number.isNaN(value));
  return isUsable ? Float32Array.from(centroid) : new Float32Array(dimension);
}
