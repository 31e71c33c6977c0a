import type { PldaManifest } from '../store/pldaManifest';
import { readPlda, type Plda } from './plda';
import { readTwoCovariance, type TwoCovariance } from './twoCovariance';

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
