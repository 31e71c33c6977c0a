import { readFileSync } from 'node:fs';
import { readTwoCovariance, type TwoCovariance } from '../../src/clustering/plda';
import { parsePldaManifest } from '../../src/store/plda';

const folder = new URL('../../models/plda-campplus-zh-en/', import.meta.url);

/** The bundled PLDA of CAM++ with 192 dimensions. */
export function bundledTwoCovariance(): TwoCovariance {
  const manifest = parsePldaManifest(JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')), 'plda-campplus-zh-en');
  return readTwoCovariance(manifest, readFileSync(new URL('plda.bin', folder)));
}
