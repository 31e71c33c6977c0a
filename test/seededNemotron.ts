import { readFileSync } from 'node:fs';
import { parseGraphAlone } from '../src/onnx/model';
import type { ModelProto } from '../src/onnx/onnx_pb';
import { firstLayers, seededFile, type SeededTensor, seededTensors } from '../src/sortformer/seededNetwork';
import { parseDiarizationManifest } from '../src/store/diarizationManifest';

// Read, not imported: the loaders of vitest and Playwright disagree about JSON.
export const NEMOTRON = parseDiarizationManifest(JSON.parse(readFileSync('models/nemotron-3-diarization/manifest.json', 'utf8')), 'nemotron-3-diarization');

/** The shipped graph, or the same with fewer layers. */
export function nemotronGraph(numLayers = NEMOTRON.numLayers): ModelProto {
  return firstLayers(parseGraphAlone(readFileSync(`models/${NEMOTRON.id}/${NEMOTRON.file.name}`), NEMOTRON.id), NEMOTRON, numLayers);
}

/** Values of each tensor of the seeded model by name, in the order of the names. */
export const seededNemotron = (numLayers = NEMOTRON.numLayers): Map<string, SeededTensor> => seededTensors(nemotronGraph(numLayers), NEMOTRON);

/** The safetensors file that `seeded.py` writes, byte by byte: 397 MB with all layers, 57 MB with four. */
export const seededNemotronFile = (numLayers = NEMOTRON.numLayers): Uint8Array<ArrayBuffer> => seededFile(nemotronGraph(numLayers), NEMOTRON);
