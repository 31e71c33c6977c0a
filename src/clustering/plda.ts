import { readPldaArrays, type PldaManifest } from '../store/pldaManifest';
import { VoxlaneError } from '../util/errors';
import { denseOf, multiplyTransposed, rowOf, transposed, type Dense } from './dense';

/** Takes embeddings to a space where speakers differ along the axes only, and one speaker's embeddings by unit noise. */
export interface Plda {
  readonly form: 'lda';
  /** Axes (embedding dimension). */
  readonly embeddingMean: Float64Array;
  /** Linear discriminant analysis; axes (discriminant dimension, embedding dimension). */
  readonly discriminant: Dense;
  /** Axes (discriminant dimension). */
  readonly discriminantMean: Float64Array;
  /** Axes (discriminant dimension). */
  readonly latentMean: Float64Array;
  /** Makes the covariance within speakers the unit matrix; axes (latent dimension, discriminant dimension). */
  readonly latent: Dense;
  /** Variance between speakers; axes (latent dimension), falling. pyannote's `phi`. */
  readonly betweenCovariance: Float64Array;
}

/** Embeddings on their way through a {@link Plda}. */
export interface PldaProjection {
  /** After centring, LDA and length normalisation; axes (embedding, discriminant dimension). */
  readonly discriminant: Dense;
  /** Axes (embedding, latent dimension). */
  readonly latent: Dense;
}

/**
 * Reads a PLDA.
 *
 * @param bytes the manifest's file, its hash already checked
 * @throws VoxlaneError `model-altered` where the length is another, `model-invalid` for a PLDA of another form
 */
export function readPlda(manifest: PldaManifest, bytes: Uint8Array): Plda {
  const { embeddingMean, discriminant, discriminantMean, latentMean, latent, betweenCovariance } = readPldaArrays(
    manifest,
    bytes,
  );
  if (!embeddingMean || !discriminant || !discriminantMean || !latentMean || !latent || !betweenCovariance) {
    throw new VoxlaneError({
      code: 'model-invalid',
      problem: `The PLDA ${manifest.id} has the form ${manifest.form}`,
      expected: 'the form lda',
      remedy: 'Name another PLDA in the settings of the preset',
    });
  }
  const { embeddingSize, latentSize } = manifest;
  return {
    form: 'lda',
    embeddingMean,
    discriminant: transposed({ data: discriminant, numRows: embeddingSize, numColumns: latentSize }),
    discriminantMean,
    latentMean,
    latent: transposed({ data: latent, numRows: latentSize, numColumns: latentSize }),
    betweenCovariance,
  };
}

/**
 * Takes embeddings into the latent space, in float64.
 *
 * Matches `xvec_tf` and `plda_tf` of `vbx_setup`, pyannote.audio 4.0.7: centred, brought to the length √dimension,
 * through LDA, centred, to the length √dimension again, centred, through the PLDA's eigenvectors.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @throws VoxlaneError `options` where they have another dimension than the PLDA
 */
export function projectEmbeddings(plda: Plda, embeddings: readonly ArrayLike<number>[]): PldaProjection {
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
  const centred = denseOf(embeddings);
  subtractFromRows(centred, plda.embeddingMean);
  toLengthOfDimension(centred);
  const discriminant = multiplyTransposed(centred, plda.discriminant);
  subtractFromRows(discriminant, plda.discriminantMean);
  toLengthOfDimension(discriminant);
  const shifted = { ...discriminant, data: discriminant.data.slice() };
  subtractFromRows(shifted, plda.latentMean);
  return { discriminant, latent: multiplyTransposed(shifted, plda.latent) };
}

/** In place. */
function subtractFromRows(rows: Dense, mean: Float64Array): void {
  for (let row = 0; row < rows.numRows; row++) {
    const values = rowOf(rows, row);
    for (let k = 0; k < values.length; k++) values[k]! -= mean[k]!;
  }
}

/** Scales every row to the length √columns, in place. */
function toLengthOfDimension(rows: Dense): void {
  const length = Math.sqrt(rows.numColumns);
  for (let row = 0; row < rows.numRows; row++) {
    const values = rowOf(rows, row);
    let square = 0;
    for (const value of values) square += value * value;
    const norm = Math.sqrt(square);
    for (let k = 0; k < values.length; k++) values[k] = length * (values[k]! / norm);
  }
}
