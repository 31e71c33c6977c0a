/** The seeded network with a trained head, whose first output is positive in speech. See speech_head.py. */
import { readFileSync } from 'node:fs';
import { halfToFloat32 } from '../../src/util/numberTypes';
import { fileOf, type SeededTensor, seededTensors } from '../../src/sortformer/seededNetwork';
import { NEMOTRON, nemotronGraph } from '../seededNemotron';

/** Layers of the encoder that the head was trained for. */
export const SPEECH_LAYERS = 4;
/** Constants of speech_head.py, and the logit of the outputs that it does not train. */
const HIDDEN = 32;
const SILENT = -8;

const FILE = 'test/nemotron/speech_head.f16';
const UPSAMPLER = 'model.upsampler.conv';

/** The safetensors file of the network. @throws Error if the trained head does not have its size */
export function speechFile(): Uint8Array<ArrayBuffer> {
  const tensors = seededTensors(nemotronGraph(SPEECH_LAYERS), NEMOTRON);
  const tensor = (name: string): SeededTensor => {
    const found = tensors.get(name);
    if (!found) throw new Error(`the graph has no ${name}`);
    return found;
  };
  const head = halfToFloat32(readFileSync(FILE));
  let used = 0;
  /** Fills the first rows and columns of a tensor with the next values of the head, and the rest with `other`. */
  const fill = (name: string, numRows: number, numColumns: number, other = 0): void => {
    const { shape, data } = tensor(name);
    const width = shape[1] ?? 1;
    data.fill(other);
    for (let row = 0; row < numRows; row++) data.set(head.subarray(used + row * numColumns, used + (row + 1) * numColumns), row * width);
    used += numRows * numColumns;
  };
  const channels = tensor('model.proj.weight').shape[1]!;
  fill('model.proj.weight', HIDDEN, channels);
  fill('model.proj.bias', HIDDEN, 1);
  fill('classifier.dense.weight', HIDDEN, HIDDEN);
  fill('classifier.dense.bias', HIDDEN, 1);
  fill('classifier.out_proj.weight', 1, HIDDEN);
  fill('classifier.out_proj.bias', 1, 1, SILENT);
  if (used !== head.length) throw new Error(`${FILE} has ${head.length} values, not ${used}`);
  smooth(tensor(`${UPSAMPLER}.weight`));
  // The loader rejects a tensor of zeros. No layer reads the other channels.
  const { data: bias } = tensor(`${UPSAMPLER}.bias`);
  bias.forEach((_, index) => { if (index % tensor('model.proj.bias').data.length < HIDDEN) bias[index] = 0; });
  return fileOf(tensors);
}

/** Makes the upsampler a quadratic B-spline through the encoder frames. Axes of its weight: (phase · channels + channel, channel, frame before, here, after). */
function smooth({ shape: [numOut, channels, taps], data }: SeededTensor): void {
  data.fill(0);
  const phases = numOut! / channels!;
  for (let out = 0; out < numOut!; out++) {
    const [phase, channel] = [Math.floor(out / channels!), out % channels!];
    const shift = (phase + 0.5) / phases - 0.5;
    const first = (out * channels! + channel) * taps!;
    data.set([(0.5 - shift) ** 2 / 2, 0.75 - shift ** 2, (0.5 + shift) ** 2 / 2], first);
  }
}
