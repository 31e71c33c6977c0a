import { type PldaManifest, readPldaArrays } from '../store/plda';
import { VoxlaneError } from '../util/errors';
import { type Dense, denseOf, multiplyTransposed, scaleRowsTo, subtractFromRows, transposed } from './linearAlgebra';

/** Projects embeddings to a space where within-speaker noise is unit noise and speakers differ along the axes only. */
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
  /** Whitens the within-speaker covariance; axes (latent dimension, discriminant dimension). */
  readonly latent: Dense;
  /** Between-speaker variance; axes (latent dimension), descending. pyannote's `phi`. */
  readonly betweenCovariance: Float64Array;
}

/** Intermediate and final results of {@link projectEmbeddings}. */
export interface PldaProjection {
  /** After centering, LDA, and length normalization; axes (embedding, discriminant dimension). */
  readonly discriminant: Dense;
  /** Axes (embedding, latent dimension). */
  readonly latent: Dense;
}

/**
 * Reads a PLDA.
 *
 * @param bytes the file of the manifest, with a verified hash
 * @throws VoxlaneError `model-altered` if the length differs from the manifest's, `model-invalid` for a PLDA of another form
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
 * Projects embeddings into the latent space, in float64.
 *
 * Matches `xvec_tf` and `plda_tf` of `vbx_setup`, pyannote.audio 4.0.7: centers, scales to length √dimension,
 * applies LDA, centers, scales to length √dimension again, centers, applies the PLDA's eigenvectors.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @throws VoxlaneError `options` if their dimension differs from the PLDA's
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

/** @throws VoxlaneError `options` if the size of the embeddings differs from the PLDA's */
function checkEmbeddingSize({ embeddingMean }: { readonly embeddingMean: Float64Array }, embeddings: readonly ArrayLike<number>[]): void {
  const found = embeddings[0]?.length;
  if (found === undefined || found === embeddingMean.length) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The embeddings have ${found} dimensions`,
    expected: `${embeddingMean.length}, the size that the PLDA was trained on`,
    remedy: 'Use the PLDA with the embedding model named in its manifest',
  });
}

/** A PLDA without dimension reduction: embeddings of one speaker differ by unit noise, and speakers differ along the axes. */
export interface TwoCovariance {
  readonly form: 'two-covariance';
  /** Mean of embeddings at unit length; axes (embedding dimension). */
  readonly embeddingMean: Float64Array;
  /** Mean of embeddings that are centered and scaled to length √dimension; axes (embedding dimension). */
  readonly normalizedMean: Float64Array;
  /** Axes (latent dimension, embedding dimension). */
  readonly latent: Dense;
  /** Between-speaker variance; axes (latent dimension), descending. */
  readonly betweenCovariance: Float64Array;
}

/**
 * Reads a two-covariance PLDA.
 *
 * @param bytes the file of the manifest, with a verified hash
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
 * Projects embeddings into the latent space, in float64: scales to unit length, centers, scales to length √dimension
 * (Garcia-Romero and Espy-Wilson 2011), centers, projects.
 *
 * @param embeddings axes (embedding, dimension), free of NaN, at least one
 * @returns axes (embedding, latent dimension)
 * @throws VoxlaneError `options` if their dimension differs from the PLDA's
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

/** A PLDA of either form. */
export type AnyPlda = Plda | TwoCovariance;

/**
 * Reads a PLDA of the form named in its manifest.
 *
 * @param bytes the file of the manifest, with a verified hash
 * @throws VoxlaneError `model-altered` if the length differs from the manifest's
 */
export const readAnyPlda = (manifest: PldaManifest, bytes: Uint8Array): AnyPlda =>
  manifest.form === 'two-covariance' ? readTwoCovariance(manifest, bytes) : readPlda(manifest, bytes);
