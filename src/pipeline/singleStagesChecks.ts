import { VoxlaneError } from '../util/errors';
import type { Segmentation, StageTensor, VoiceEmbeddings } from './singleStagesTypes';

/** @throws VoxlaneError `options` for what is no samples, `audio-no-samples` for none */
export function checkSamples(samples: Float32Array): void {
  // Callers without types pass anything.
  if (!((samples as unknown) instanceof Float32Array)) {
    throw wrongInput(
      `The samples are ${Object.prototype.toString.call(samples)}`,
      'a Float32Array of mono samples at the rate of the model, 16 kHz',
      'Decode the recording first, or give it to Diarizer.diarize',
    );
  }
  if (samples.length > 0) return;
  throw new VoxlaneError({ code: 'audio-no-samples', problem: 'There are no samples', expected: 'one sample at least' });
}

/**
 * Whether a tensor that a caller gives back is one that a stage gave.
 *
 * @param kind of the array that holds its values
 * @throws VoxlaneError `options`
 */
export function checkTensor(
  name: string,
  tensor: StageTensor<readonly string[], Float32Array | Uint8Array>,
  axes: readonly string[],
  kind: typeof Float32Array | typeof Uint8Array,
): void {
  // Of what a store or a message has lost, parts are missing.
  const { axes: found, shape, data } = tensor as Partial<typeof tensor>;
  const isWhole =
    data instanceof kind &&
    found?.join() === axes.join() &&
    shape?.length === axes.length &&
    shape.every((size) => Number.isInteger(size) && size >= 0) &&
    shape.reduce((product, size) => product * size, 1) === data.length;
  if (isWhole) return;
  throw wrongInput(
    `The ${name} has axes (${String(found)}), shape (${String(shape)}) and ${data?.length ?? 'no'} values in ${Object.prototype.toString.call(data)}`,
    `axes (${axes.join(', ')}), and as many values in a ${kind.name} as its shape says`,
    'Give it as the stage gave it',
  );
}

/** @throws VoxlaneError `options` */
export function checkSegmentation(segmentation: Segmentation): void {
  checkTensor('segmentation', segmentation, ['window', 'frame', 'speaker'], Uint8Array);
  const odd = segmentation.data.find((value) => value > 1);
  if (odd !== undefined) throw wrongInput(`The segmentation holds the value ${odd}`, '0 or 1', 'Give it as segment() gave it');
}

/** Whether embeddings are of the segmentation's local speakers. @throws VoxlaneError `options` */
export function checkPairOfStages(segmentation: Segmentation, embeddings: VoiceEmbeddings): void {
  checkSegmentation(segmentation);
  checkTensor('embeddings', embeddings, ['window', 'speaker', 'dimension'], Float32Array);
  const [windows, frames, speakers] = segmentation.shape;
  const { segmentationModel } = embeddings;
  if (segmentationModel.sha256 !== segmentation.model.sha256) {
    throw wrongInput(
      `The embeddings are of a segmentation by ${nameOf(segmentationModel)}, and the segmentation is by ${nameOf(segmentation.model)}`,
      'embeddings of this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (embeddings.shape[0] !== windows || embeddings.shape[1] !== speakers) {
    throw wrongInput(
      `The embeddings are of ${embeddings.shape[0]} windows with ${embeddings.shape[1]} speakers, the segmentation has ${windows} with ${speakers}`,
      'embeddings of this segmentation',
      'Call embed() with this segmentation',
    );
  }
  if (frames !== segmentation.geometry.framesPerWindow) {
    throw wrongInput(
      `The segmentation has ${frames} frames a window, and its geometry ${segmentation.geometry.framesPerWindow}`,
      'as many in both',
      'Give it as segment() gave it',
    );
  }
}

/** A model in words: two files may have one id. */
export const nameOf = ({ id, sha256 }: { readonly id: string; readonly sha256: string }): string => `${id} (${sha256.slice(0, 8)})`;

export function wrongInput(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}
