import { packWeights, type PackedWeights } from '../gpu/product';
import type { Convolution } from '../onnx/values';

/**
 * Packs a convolution over (frequency, frame) with as many taps along both axes, for a product whose inputs have the axes (frame tap,
 * frequency tap, input channel).
 */
export function packImageFilter({ weight, bias, numIn, numOut, taps }: Pick<Convolution, 'weight' | 'bias' | 'numIn' | 'numOut' | 'taps'>): PackedWeights {
  const numTaps = taps[0]!;
  // The file's axes are (output, input, frequency, frame).
  const weightOf = (k: number, column: number): number => {
    const [frame, frequency, input] = [Math.floor(k / (numTaps * numIn)), Math.floor(k / numIn) % numTaps, k % numIn];
    return weight[((column * numIn + input) * numTaps + frequency) * numTaps + frame]!;
  };
  return packWeights({ numInputs: numTaps * numTaps * numIn, numColumns: numOut, bias }, weightOf);
}
