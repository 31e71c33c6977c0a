import { type PldaManifest, readPldaArrays } from '../store/plda';
import { VoxlaneError } from '../util/errors';
import { type Dense, denseOf, multiplyTransposed, scaleRowsTo, subtractFromRows, transposed } from './linearAlgebra';

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
  /** After centring, LDA and length normalization; axes (embedding, discriminant dimension). */
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
  const { embeddingMean, discriminant, discriminantMean, latentMean, latent, betweenCovariance } = readPldaArrays(manifest, 'lda', bytes);
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
 * Matches `xvec_tf` and `plda_tf` of `vbx_setup`, pyannote.audio 4.0.7: centered, brought to the length √dimension,
 * through LDA, centered, to the length √dimension again, centered, through the PLDA's eigenvectors.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @throws VoxlaneError `options` where they have another dimension than the PLDA
 */
export function projectEmbeddings(plda: Plda, embeddings: readonly ArrayLike<number>[]): PldaProjection {
  checkEmbeddingSize(plda, embeddings);
  const centered = denseOf(embeddings);
  subtractFromRows(centered, plda.embeddingMean);
  scaleRowsTo(centered, Math.sqrt(centered.numColumns));
  const discriminant = multiplyTransposed(centered, plda.discriminant);
  subtractFromRows(discriminant, plda.discriminantMean);
  scaleRowsTo(discriminant, Math.sqrt(discriminant.numColumns));
  const shifted = { ...discriminant, data: discriminant.data.slice() };
  subtractFromRows(shifted, plda.latentMean);
  return { discriminant, latent: multiplyTransposed(shifted, plda.latent) };
}

/** @throws VoxlaneError `options` if the embeddings are not of the size that a PLDA was trained on */
export function checkEmbeddingSize({ embeddingMean }: { readonly embeddingMean: Float64Array }, embeddings: readonly ArrayLike<number>[]): void {
  const found = embeddings[0]?.length;
  if (found === undefined || found === embeddingMean.length) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The embeddings have ${found} dimensions`,
    expected: `${embeddingMean.length}, as the PLDA was trained on`,
    remedy: 'Use the PLDA with the embedding model that its manifest names',
  });
}

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
  const { embeddingMean, normalizedMean, latent, betweenCovariance } = readPldaArrays(manifest, 'two-covariance', bytes);
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
  checkEmbeddingSize(plda, embeddings);
  const rows = denseOf(embeddings);
  scaleRowsTo(rows, 1);
  subtractFromRows(rows, plda.embeddingMean);
  scaleRowsTo(rows, Math.sqrt(rows.numColumns));
  subtractFromRows(rows, plda.normalizedMean);
  return multiplyTransposed(rows, plda.latent);
}

/** What embeddings of one model are compared with. */
export type AnyPlda = Plda | TwoCovariance;

/**
 * Reads a PLDA of whatever form its manifest names.
 *
 * @param bytes the manifest's file, its hash already checked
 * @throws VoxlaneError `model-altered` if the length differs from the manifest's
 */
export const readAnyPlda = (manifest: PldaManifest, bytes: Uint8Array): AnyPlda =>
  manifest.form === 'two-covariance' ? readTwoCovariance(manifest, bytes) : readPlda(manifest, bytes);
