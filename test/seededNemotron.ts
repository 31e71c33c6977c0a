import { readFileSync } from 'node:fs';
import nemotron from '../models/nemotron-3-diarization/manifest.json';
import { parseGraphAlone } from '../src/onnx/model';
import type { ModelProto } from '../src/onnx/onnx_pb';
import { firstLayers, seededFile, type SeededTensor, seededTensors } from '../src/sortformer/seededNetwork';
import { parseDiarizationManifest } from '../src/store/diarizationManifest';

export const NEMOTRON = parseDiarizationManifest(nemotron, nemotron.id);

/** The shipped graph, or the same with fewer layers. */
export function nemotronGraph(numLayers = NEMOTRON.numLayers): ModelProto {
  return firstLayers(parseGraphAlone(readFileSync(`models/${NEMOTRON.id}/${NEMOTRON.file.name}`), NEMOTRON.id), NEMOTRON, numLayers);
}

/** Values of each tensor of the seeded model by name, in the order of the names. */
export const seededNemotron = (numLayers = NEMOTRON.numLayers): Map<string, SeededTensor> => seededTensors(nemotronGraph(numLayers), NEMOTRON);

/** The safetensors file that `seeded.py` writes, byte by byte: 397 MB with all layers, 57 MB with four. */
export const seededNemotronFile = (numLayers = NEMOTRON.numLayers): Uint8Array<ArrayBuffer> => seededFile(nemotronGraph(numLayers), NEMOTRON);
