import type { Dense } from '../../clustering/dense';
import type { Plda } from '../../clustering/plda';
import { clusterByVbx, type VbxClusters, type VbxSteps } from '../../clustering/vbxClustering';
import { startResponsibilities } from '../../clustering/vbx';
import { parseRttm, toRttm } from '../../formats/rttm';
import { countSpeakers } from '../../timeline/counting';
import { reconstruct, type DiscreteDiarization } from '../../timeline/reconstruct';
import { nameTurns, speakerLabels, turnsOf } from '../../timeline/turns';
import { LABELS_ARRAY, type Capture } from './capture';
import { arrayDifference, turnDifference, type Computed, type StageDifference } from './differences';

/** What became of a capture. */
export interface Replay {
  readonly clusters: VbxClusters;
  readonly rttm: string;
  /** One for each later array that the capture has, in the order of the stages. */
  readonly differences: readonly StageDifference[];
}

/** Float64 on both sides: what is left is the order of sums, over up to 20 iterations. */
const FLOAT_LIMIT = 1e-6;

/**
 * Runs everything that comes after the models, and compares each stage with what the capture has of it.
 *
 * @param uri name of the recording in the RTTM, where the capture has no reference that says one
 * @throws VoxlaneError `options` where the embeddings are not of the size that the PLDA takes
 */
export function replay(capture: Capture, plda: Plda, uri: string): Replay {
  const { local, geometry, options, later, reference } = capture;
  const count = countSpeakers(local.activity, local.numSpeakers, geometry);
  const clusters = clusterByVbx(local, plda, options);
  const stitch = { activity: local.activity, hardClusters: clusters.hardClusters, numLocalSpeakers: local.numSpeakers };
  const diarization = reconstruct({ ...stitch, count, geometry });
  const turns = turnsOf(diarization, geometry.frames);
  const rttm = toRttm(nameTurns(turns, speakerLabels(turns), 0), reference?.uri ?? uri);

  const computed = [
    ...(clusters.steps ? stepArrays(clusters.steps, plda, local.numSpeakers) : []),
    ...clusterArrays(clusters, local.numWindows),
    ...timelineArrays(count, diarization),
  ];
  const differences = computed.flatMap((array) => {
    const captured = later.get(array.stage);
    return captured ? [arrayDifference(array, captured)] : [];
  });
  if (reference) {
    // As text and back: both sides have then been rounded to milliseconds.
    const found = [...parseRttm(rttm).values()].flat();
    differences.push(turnDifference(found, reference.turns));
  }
  return { clusters, rttm, differences };
}

function stepArrays(steps: VbxSteps, plda: Plda, numSpeakers: number): Computed[] {
  const { trainRows, projection, startLabels, vbx } = steps;
  return [
    exact('train_chunk_idx', [trainRows.length], trainRows.map((row) => Math.floor(row / numSpeakers))),
    exact('train_speaker_idx', [trainRows.length], trainRows.map((row) => row % numSpeakers)),
    rows('post_xvec', 'relative', projection.discriminant),
    rows('post_plda', 'relative', projection.latent),
    float('phi', 'relative', [plda.betweenCovariance.length], plda.betweenCovariance),
    exact(LABELS_ARRAY, [startLabels.length], startLabels),
    rows('qinit', 'absolute', startResponsibilities(startLabels)),
    rows('q_final', 'absolute', vbx.responsibilities),
    float('sp_final', 'absolute', [vbx.priors.length], vbx.priors),
    float('elbo_trajectory', 'relative', [vbx.elbo.length], vbx.elbo),
  ];
}

function clusterArrays({ soft, assigned, centroids }: VbxClusters, numWindows: number): Computed[] {
  const { scores, numSpeakers, numClusters } = soft;
  return [
    float('soft_clusters', 'absolute', [numWindows, numSpeakers, numClusters], scores),
    exact('hard_clusters', [numWindows, numSpeakers], assigned),
    float('centroids', 'relative', [centroids.length, centroids[0]!.length], centroids.flatMap((row) => [...row])),
  ];
}

function timelineArrays(count: Uint8Array, { data, numSpeakers }: DiscreteDiarization): Computed[] {
  return [
    exact('count', [count.length, 1], count),
    exact('discrete_diarization', [count.length, numSpeakers], data),
  ];
}

const exact = (stage: string, shape: readonly number[], data: ArrayLike<number>): Computed => {
  return { stage, unit: 'values', shape, data, limit: 0 };
};

const float = (
  stage: string,
  unit: 'relative' | 'absolute',
  shape: readonly number[],
  data: ArrayLike<number>,
): Computed => {
  return { stage, unit, shape, data, limit: FLOAT_LIMIT };
};

const rows = (stage: string, unit: 'relative' | 'absolute', values: Dense): Computed =>
  float(stage, unit, [values.numRows, values.numColumns], values.data);
