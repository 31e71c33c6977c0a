import { badGraph } from '../onnx/nodes';

/** An error about a graph that is not the one expected. */
export const unlike = (problem: string): Error =>
  badGraph(`The graph is not the CAM++ that the kernels compute: ${problem}`, 'CAM++ as its export.py writes it');
