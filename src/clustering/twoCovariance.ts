import { readPldaArrays, type PldaManifest } from '../store/pldaManifest';
import { VoxlaneError } from '../util/errors';
import { denseOf, multiplyTransposed, rowOf, transposed, type Dense } from './dense';

/** A PLDA without dimension reduction before it: embeddings of one speaker differ by unit noise, speakers along the axes. */
export interface TwoCovariance {
  readonly form: 'two-covariance';
  /** Of embeddings at unit length; axes (embedding dimension). */
  readonly embeddingMean: Float64Array;
  /** Of embeddings that are centered and of length √dimension; axes (embedding dimension). */
  readonly normalizedMean: Float64Array;
  /** Axes (latent dimension, embedding dimension). */
  readonly latent: Dense;
  /** Variance between speakers; axes (latent dimension), falling. */
  readonly betweenCovariance: Float64Array;
}

/**
 * Reads a two-covariance PLDA.
 *
 * @param bytes the manifest's file, its hash already checked
 * @throws VoxlaneError `model-altered` if the length differs from the manifest's, `model-invalid` for a PLDA of another form
 */
export function readTwoCovariance(manifest: PldaManifest, bytes: Uint8Array): TwoCovariance {
  const { embeddingMean, normalizedMean, latent, betweenCovariance } = readPldaArrays(manifest, bytes);
  if (!embeddingMean || !normalizedMean || !latent || !betweenCovariance) {
    throw new VoxlaneError({
      code: 'model-invalid',
      problem: `The PLDA ${manifest.id} has the form ${manifest.form}`,
      expected: 'the form two-covariance',
      remedy: 'Name another PLDA in the settings of the preset',
    });
  }
  const { embeddingSize, latentSize } = manifest;
  return {
    form: 'two-covariance',
    embeddingMean,
    normalizedMean,
    latent: transposed({ data: latent, numRows: embeddingSize, numColumns: latentSize }),
    betweenCovariance,
  };
}

/**
 * Takes embeddings into the latent space, in float64: at unit length, centered, at the length √dimension (Garcia-Romero and
 * Espy-Wilson 2011), centered, projected.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @returns axes (embedding, latent dimension)
 * @throws VoxlaneError `options` if their dimension is not the PLDA's
 */
export function projectTwoCovariance(plda: TwoCovariance, embeddings: readonly ArrayLike<number>[]): Dense {
  const size = plda.embeddingMean.length;
  const found = embeddings[0]?.length;
  if (found !== undefined && found !== size) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The embeddings have ${found} dimensions`,
      expected: `${size}, as the PLDA was trained on`,
      remedy: 'Use the PLDA with the embedding model that its manifest names',
    });
  }
  const rows = denseOf(embeddings);
  for (let row = 0; row < rows.numRows; row++) {
    const values = rowOf(rows, row);
    scaleTo(values, 1);
    for (let k = 0; k < size; k++) values[k]! -= plda.embeddingMean[k]!;
    scaleTo(values, Math.sqrt(size));
    for (let k = 0; k < size; k++) values[k]! -= plda.normalizedMean[k]!;
  }
  return multiplyTransposed(rows, plda.latent);
}

/** Gives a vector a length, in place. */
function scaleTo(values: Float64Array, length: number): void {
  let square = 0;
  for (const value of values) square += value * value;
  const factor = length / Math.sqrt(square);
  for (let k = 0; k < values.length; k++) values[k] = factor * values[k]!;
}
