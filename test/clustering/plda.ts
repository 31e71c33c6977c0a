import { readFileSync } from 'node:fs';
import { parsePldaManifest } from '../../src/store/plda';
import { readPlda, type Plda } from '../../src/clustering/plda';

const folder = new URL('../../models/plda-community-1/', import.meta.url);

/** The bundled PLDA with 256 dimensions. */
export function bundledPlda(): Plda {
  const manifest = parsePldaManifest(JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')), 'plda-community-1');
  return readPlda(manifest, readFileSync(new URL('plda.bin', folder)));
}
