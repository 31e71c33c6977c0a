/** Reads the residual blocks of CAM++ and ResNet34 from their graphs. */
import type { Convolution, Values } from '../onnx/values';

/** relu(second(relu(first(x))) + shortcut(x)); without a shortcut, x itself. */
export interface ResidualBlock {
  readonly first: Convolution;
  readonly second: Convolution;
  readonly shortcut: Convolution | null;
}

/** A convolution with ReLU, followed by residual blocks. */
export interface ResidualGraph {
  readonly stem: Convolution;
  readonly residualBlocks: readonly ResidualBlock[];
  /** Names of the graph's values: the output of the stem, then of each block. */
  readonly residualValues: readonly string[];
}

/**
 * Reads from the last block's output back to the graph's input, axes (batch, frame, mel).
 *
 * @param end name of the last block's output
 * @param input name of the graph's input
 * @param unlike creates the error for another structure
 */
export function readResidualBlocks(values: Values, end: string, input: string, unlike: (problem: string) => Error): ResidualGraph {
  const residualBlocks: ResidualBlock[] = [];
  const residualValues: string[] = [];
  let value = end;
  while (values.producer(values.inputOf(value, 'Relu'))?.opType === 'Add') {
    const [main, side] = values.inputsOf(values.inputOf(value, 'Relu'), 'Add', 2);
    const { input: between, convolution: second } = values.convolution(main!);
    const { input: start, convolution: first } = values.convolution(values.inputOf(between, 'Relu'));
    const shortcut = side === start ? null : values.convolution(side!);
    if (shortcut && shortcut.input !== start) throw unlike(`${side!} is not computed from ${start}`);
    residualBlocks.unshift({ first, second, shortcut: shortcut?.convolution ?? null });
    residualValues.unshift(value);
    value = start;
  }
  residualValues.unshift(value);
  const { input: image, convolution: stem } = values.convolution(values.inputOf(value, 'Relu'));
  values.expectFormula(image, new Map([[input, 'x']]), 'Unsqueeze(Transpose[perm=[0, 2, 1]](x), 1)');
  return { stem, residualBlocks, residualValues };
}
