import { readPldaArrays, type PldaManifest } from '../store/pldaManifest';
import { denseOf, multiplyTransposed, scaleRowsTo, subtractFromRows, transposed, type Dense } from './dense';
import { checkEmbeddingSize } from './plda';

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
