import { badGraph } from '../onnx/nodes';
import { type PooledNetwork, resnetLayers } from '../onnx/pooled';
import { type Convolution, Values } from '../onnx/values';
import { readResidualBlocks, type ResidualBlock } from './residualGraph';

/** Creates the error for a graph with another structure. */
export const unlike = (problem: string): Error =>
  badGraph(`The graph is not the ResNet that the kernels compute: ${problem}`, 'a ResNet as WeSpeaker or pyannote.audio exports it');

/** Taps of the convolutions, except shortcuts. */
export const TAPS = 3;

/** A ResNet up to its statistics pooling, whose convolutions contain their batch norms. */
export interface ResnetGraph {
  readonly stem: Convolution;
  readonly blocks: readonly ResidualBlock[];
  /** Value of the graph after the stem and each block; null if it does not end a layer. */
  readonly layerValues: readonly (string | null)[];
}

/** A map of a window. */
export interface MapSize {
  readonly numFrames: number;
  readonly numFrequencies: number;
  readonly numChannels: number;
}

/**
 * Reads the layers of a ResNet. Numbers of blocks and channels, and strides are those of the file.
 *
 * @throws VoxlaneError `model-invalid` with the first difference
 */
export function readResnet(network: PooledNetwork): ResnetGraph {
  const { backbone, input, map } = network;
  const { stem, residualBlocks: blocks, residualValues } = readResidualBlocks(new Values(backbone, unlike), map, input, unlike);
  if (stem.numIn !== 1) throw unlike(`its first convolution has ${stem.numIn} inputs`);
  checkConvolution(stem, 1, TAPS, 1);
  let numChannels = stem.numOut;
  for (const { first, second, shortcut } of blocks) {
    const stride = first.strides[0]!;
    checkConvolution(first, numChannels, TAPS, stride);
    checkConvolution(second, first.numOut, TAPS, 1);
    if (shortcut) checkConvolution(shortcut, numChannels, 1, stride);
    const fits = second.numOut === first.numOut && (shortcut ? shortcut.numOut === first.numOut : stride === 1 && first.numOut === numChannels);
    if (!fits) throw unlike('the sizes of a shortcut differ from those of its block');
    numChannels = second.numOut;
  }
  const layers = new Set(resnetLayers(network).values());
  return { stem, blocks, layerValues: residualValues.map((value) => (layers.has(value) ? value : null)) };
}

/** Size of the map after a convolution whose padding is half of its taps. */
export function mapAfter({ numOut, strides }: Pick<Convolution, 'numOut' | 'strides'>, { numFrames, numFrequencies }: MapSize): MapSize {
  const along = (size: number, axis: number): number => Math.floor((size - 1) / strides[axis]!) + 1;
  return { numFrames: along(numFrames, 1), numFrequencies: along(numFrequencies, 0), numChannels: numOut };
}

/**
 * Sizes of the maps after the stem and each block.
 *
 * @param numFrames mel frames of a window, at least 1
 */
export function mapSizes({ stem, blocks }: Pick<ResnetGraph, 'stem' | 'blocks'>, numFrames: number, numMelBins: number): MapSize[] {
  const sizes = [mapAfter(stem, { numFrames, numFrequencies: numMelBins, numChannels: 1 })];
  for (const { first } of blocks) sizes.push(mapAfter(first, sizes.at(-1)!));
  return sizes;
}

function checkConvolution({ numIn, taps, strides, pads, dilations }: Convolution, expectedIn: number, numTaps: number, stride: number): void {
  const pad = (numTaps - 1) / 2;
  const expected = `${numTaps},${numTaps} ${pad},${pad} ${stride},${stride} 1,1`;
  const found = [taps, pads, strides, dilations].map(String).join(' ');
  if (numIn !== expectedIn || found !== expected) {
    throw unlike(`a convolution has ${numIn} inputs and taps, padding, strides and dilations of ${found}, not ${expectedIn} and ${expected}`);
  }
}
