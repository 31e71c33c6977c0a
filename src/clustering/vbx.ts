import { multiplyTransposed, rowOf, transposed, zeros, type Dense } from './linearAlgebra';

/** Settings of {@link vbx}. */
export interface VbxOptions {
  /** Weight of the likelihood relative to the priors. A value below 1 compensates for embeddings that are not independent. */
  readonly fa: number;
  /** Penalty for each speaker: greater values leave fewer speakers. */
  readonly fb: number;
  readonly maxIterations: number;
}

/** Learned parameters of the speakers; sufficient to assign embeddings that took no part. */
export interface SpeakerModel {
  /** Posterior mean of each speaker; axes (speaker, latent dimension). */
  readonly means: Dense;
  /** Log-prior plus the part of the log-likelihood that does not depend on the embedding; axes (speaker). */
  readonly offsets: Float64Array;
  /** Between-speaker standard deviation; axes (latent dimension). */
  readonly spread: Float64Array;
  readonly fa: number;
}

export interface VbxResult {
  /** Probability of each speaker for each embedding; axes (embedding, speaker), rows sum to 1. */
  readonly responsibilities: Dense;
  /** Share of each speaker; axes (speaker), sums to 1. Near 0 for an unused speaker. */
  readonly priors: Float64Array;
  /** Evidence lower bound after each iteration; never decreases except by rounding. */
  readonly elbo: readonly number[];
  /** The model that `responsibilities` are computed from. */
  readonly model: SpeakerModel;
}

/** Minimum increase of the bound to continue iterating, as in pyannote. */
const MIN_ELBO_GAIN = 1e-4;
/** Keeps the logarithm of a prior finite. */
const PRIOR_FLOOR = 1e-8;
/** Weight of the start labels in the first responsibilities, before the softmax: pyannote's `init_smoothing`. */
const START_SMOOTHING = 7;

/**
 * Initial responsibilities: each embedding mostly belongs to its label, and a little to every other one.
 *
 * Matches the start of `cluster_vbx` of pyannote.audio 4.0.7.
 *
 * @param labels from 0 without gaps
 * @returns axes (embedding, speaker), rows sum to 1
 */
export function startResponsibilities(labels: Int32Array): Dense {
  const numSpeakers = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  const own = 1 / (1 + (numSpeakers - 1) * Math.exp(-START_SMOOTHING));
  const start = zeros(labels.length, numSpeakers);
  start.data.fill(own * Math.exp(-START_SMOOTHING));
  labels.forEach((label, row) => (rowOf(start, row)[label] = own));
  return start;
}

/**
 * Variational Bayes over a mixture of speakers: estimates the speaker of each embedding and the number of speakers.
 *
 * Matches `VBx` of pyannote.audio 4.0.7 (`utils/vbx.py`), which has no transition model; equation numbers are those of
 * Landini et al., "Bayesian HMM clustering of x-vector sequences (VBx)", 2020.
 *
 * @param features axes (embedding, latent dimension), with unit covariance within speakers
 * @param betweenCovariance axes (latent dimension)
 * @param start axes (embedding, speaker), rows sum to 1; overwritten with the responsibilities of the result
 */
export function vbx(features: Dense, betweenCovariance: Float64Array, start: Dense, options: VbxOptions): VbxResult {
  const { fa, fb, maxIterations } = options;
  const numSpeakers = start.numColumns;
  const spread = betweenCovariance.map(Math.sqrt);
  const scaled = scaleColumns(features, spread);
  const scaledColumns = transposed(scaled);
  const constants = embeddingConstants(features, fa);
  // Allocated once: with hundreds of start clusters, this matrix and `start` take 100 MB each for three hours.
  const columns = zeros(numSpeakers, start.numRows);
  const elbo: number[] = [];
  let priors: Float64Array = new Float64Array(numSpeakers).fill(1 / numSpeakers);
  const responsibilities = start;
  let model: SpeakerModel = {
    means: zeros(numSpeakers, features.numColumns),
    offsets: new Float64Array(numSpeakers),
    spread,
    fa,
  };

  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const weight = fa / fb;
    const speakers = estimateSpeakers(transposed(responsibilities, columns), scaledColumns, betweenCovariance, weight);
    const offsets = speakers.halfNorms.map(
      (half, speaker) => Math.log(priors[speaker]! + PRIOR_FLOOR) - fa * half,
    );
    model = { means: speakers.means, offsets, spread, fa };
    multiplyTransposed(scaled, speakers.means, responsibilities);
    const evidence = toResponsibilities(responsibilities, model);
    priors = columnShares(responsibilities);
    // (25)
    const total = evidence.reduce((sum, value, row) => sum + value + constants[row]!, 0);
    elbo.push(total + fb * 0.5 * speakers.divergence);
    if (iteration > 0 && elbo[iteration]! - elbo[iteration - 1]! < MIN_ELBO_GAIN) break;
  }
  return { responsibilities, priors, elbo, model };
}

/**
 * Assigns embeddings to the speakers of a model learned from other embeddings.
 *
 * @param features axes (embedding, latent dimension)
 * @returns axes (embedding, speaker), rows sum to 1
 */
export function responsibilitiesOf(model: SpeakerModel, features: Dense): Dense {
  const logs = multiplyTransposed(scaleColumns(features, model.spread), model.means);
  toResponsibilities(logs, model);
  return logs;
}

interface Speakers {
  /** (16); axes (speaker, latent dimension). */
  readonly means: Dense;
  /** Half of Σ (variance + mean²) · betweenCovariance; axes (speaker). */
  readonly halfNorms: Float64Array;
  /** Minus twice the divergence of all speakers from their prior. */
  readonly divergence: number;
}

/**
 * Posterior of every speaker, given the responsibilities.
 *
 * @param responsibilities axes (speaker, embedding)
 * @param scaledColumns axes (latent dimension, embedding)
 */
function estimateSpeakers(
  responsibilities: Dense,
  scaledColumns: Dense,
  betweenCovariance: Float64Array,
  weight: number,
): Speakers {
  const means = multiplyTransposed(responsibilities, scaledColumns);
  const totals = rowSums(responsibilities);
  const halfNorms = new Float64Array(means.numRows);
  let divergence = 0;
  for (let speaker = 0; speaker < means.numRows; speaker++) {
    const place = rowOf(means, speaker);
    let norm = 0;
    for (let k = 0; k < place.length; k++) {
      const variance = 1 / (1 + weight * totals[speaker]! * betweenCovariance[k]!); // (17)
      const mean = weight * variance * place[k]!;
      place[k] = mean;
      norm += (variance + mean * mean) * betweenCovariance[k]!;
      divergence += Math.log(variance) - variance - mean * mean + 1;
    }
    halfNorms[speaker] = 0.5 * norm;
  }
  return { means, halfNorms, divergence };
}

/**
 * Converts dot products of embeddings and speakers into responsibilities, in place: (23), then a softmax of each row.
 *
 * @returns log of each row's sum, without the embedding's own constant; axes (embedding)
 */
function toResponsibilities(products: Dense, { offsets, fa }: SpeakerModel): Float64Array {
  const evidence = new Float64Array(products.numRows);
  for (let row = 0; row < products.numRows; row++) {
    const logs = rowOf(products, row);
    let greatest = -Infinity;
    for (let speaker = 0; speaker < logs.length; speaker++) {
      const log = fa * logs[speaker]! + offsets[speaker]!;
      logs[speaker] = log;
      if (log > greatest) greatest = log;
    }
    let sum = 0;
    for (let speaker = 0; speaker < logs.length; speaker++) {
      logs[speaker] = Math.exp(logs[speaker]! - greatest);
      sum += logs[speaker]!;
    }
    evidence[row] = greatest + Math.log(sum);
    for (let speaker = 0; speaker < logs.length; speaker++) logs[speaker] = logs[speaker]! / sum;
  }
  return evidence;
}

/** The part of each embedding's log-likelihood that is the same for every speaker: the last term of (23); axes (embedding). */
function embeddingConstants(features: Dense, fa: number): Float64Array {
  const { numRows, numColumns } = features;
  return Float64Array.from({ length: numRows }, (_, row) => {
    let square = 0;
    for (const value of rowOf(features, row)) square += value * value;
    return -0.5 * fa * (square + numColumns * Math.log(2 * Math.PI));
  });
}

function scaleColumns({ data, numRows, numColumns }: Dense, factors: Float64Array): Dense {
  return { data: data.map((value, index) => value * factors[index % numColumns]!), numRows, numColumns };
}

function rowSums(values: Dense): Float64Array {
  return Float64Array.from({ length: values.numRows }, (_, row) => rowOf(values, row).reduce((sum, value) => sum + value, 0));
}

function columnSums(values: Dense): Float64Array {
  const sums = new Float64Array(values.numColumns);
  for (let row = 0; row < values.numRows; row++) {
    const ofRow = rowOf(values, row);
    for (let column = 0; column < sums.length; column++) sums[column]! += ofRow[column]!;
  }
  return sums;
}

/** Share of each column in the sum of all values. */
function columnShares(values: Dense): Float64Array {
  const sums = columnSums(values);
  const total = sums.reduce((sum, value) => sum + value, 0);
  return sums.map((value) => value / total);
}
