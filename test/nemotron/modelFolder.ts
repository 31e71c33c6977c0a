/** A model folder like models/nemotron-3-diarization, with fewer layers and seeded weights. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeOnnx } from '../../src/onnx/model';
import { expectedWeights } from '../../src/weights/expected';
import { NEMOTRON, nemotronGraph, seededNemotronFile } from '../seededNemotron';

const factsOf = (bytes: Uint8Array): { readonly bytes: number; readonly sha256: string } =>
  ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

/** A written model. */
export interface SeededFolder {
  /** Address of the folder that has the model's folder. */
  readonly base: string;
  /** The file with the weights. */
  readonly weights: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

/**
 * Writes manifest and graph into `folder/<id>`, and with `hasWeights` the weights, as a server of a hub-less site has them. The
 * manifest names the hash of the seeded weights, so they are a known file.
 */
export function writeSeededFolder(folder: string, numLayers: number, hasWeights = false): SeededFolder {
  const at = join(folder, NEMOTRON.id);
  mkdirSync(at, { recursive: true });
  const graph = nemotronGraph(numLayers);
  const bytes = encodeOnnx(graph);
  const weights = seededNemotronFile(numLayers);
  const manifest = JSON.parse(readFileSync(`models/${NEMOTRON.id}/manifest.json`, 'utf8')) as typeof NEMOTRON;
  const ofWeights = { ...manifest.weights, ...factsOf(weights), numTensors: expectedWeights(graph).length };
  const changed = { ...manifest, numLayers, file: { ...manifest.file, ...factsOf(bytes) }, weights: ofWeights };
  writeFileSync(join(at, manifest.file.name), bytes);
  writeFileSync(join(at, 'manifest.json'), JSON.stringify(changed));
  if (hasWeights) writeFileSync(join(at, manifest.weights.name), weights);
  return { base: pathToFileURL(`${folder}/`).href, weights, sha256: ofWeights.sha256 };
}
