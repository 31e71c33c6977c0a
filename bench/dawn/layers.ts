/**
 * Arithmetic, memory traffic and dispatches of the networks on our WGSL kernels, from the shapes of their layers.
 *
 * A multiply-add belongs to a convolution, a matrix product or a recurrent layer. Norms, activations, poolings and gates
 * are few in comparison and not counted.
 */
import { type BatchLayout, layOutItems, rowGeometry } from '../../src/embedding/campplusLayout';
import type { CampplusGraph } from '../../src/embedding/campplusGraph';
import { maxBatchWindows } from '../../src/embedding/imageLayout';
import { mapSizes, type MapSize, type ResnetGraph } from '../../src/embedding/resnetGraph';
import type { PooledHead } from '../../src/onnx/pooled';
import type { Convolution } from '../../src/onnx/values';
import type { PyannetGraph } from '../../src/segmentation/pyannetGraph';

/** Work for one window or one local speaker. */
export interface LayerWork {
  readonly multiplyAdds: number;
  /** Values that kernels read or write once in GPU memory: inputs and outputs of each layer, without weights. */
  readonly values: number;
}

/** Values of the weights, which each batch reads at least once. */
export interface NetworkWork<Shape> {
  readonly numWeights: number;
  readonly of: (shape: Shape) => LayerWork;
}

interface Layer extends LayerWork {
  readonly weights: number;
}

const layer = (multiplyAdds: number, numIn: number, numOut: number, weights: number): Layer => ({ multiplyAdds, values: numIn + numOut, weights });

const total = (layers: readonly Layer[]): Layer =>
  layers.reduce((sum, one) => ({
    multiplyAdds: sum.multiplyAdds + one.multiplyAdds,
    values: sum.values + one.values,
    weights: sum.weights + one.weights,
  }), layer(0, 0, 0, 0));

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Number of positions of a convolution along an axis. */
export function outputSize(size: number, { taps, strides, pads, dilations }: Pick<Convolution, 'taps' | 'strides' | 'pads' | 'dilations'>, axis = 0): number {
  const reach = (taps[axis]! - 1) * dilations[axis]!;
  return Math.floor((size + 2 * pads[axis]! - reach - 1) / strides[axis]!) + 1;
}

/** A convolution with `positions` outputs per channel, from `inputs` positions. */
function convolved({ numIn, numOut, taps }: Pick<Convolution, 'numIn' | 'numOut' | 'taps'>, inputs: number, positions: number): Layer {
  const weights = numIn * numOut * product(taps);
  return layer(positions * weights, inputs * numIn, positions * numOut, weights);
}

function linear(numRows: number, numIn: number, numOut: number): Layer {
  return layer(numRows * numIn * numOut, numRows * numIn, numRows * numOut, numIn * numOut);
}

/** Shapes of the recurrent layers. */
interface Recurrence {
  /** Frames that a layer computes one after the other. */
  readonly numFrames: number;
  readonly numLayers: number;
  /** Recurrent weights of one direction, which each frame reads again. */
  readonly weightsPerStep: number;
}

/** Work of PyanNet for a window, by its number of samples. */
export function pyannetWork(network: PyannetGraph): NetworkWork<number> & { readonly recurrence: (numSamples: number) => Recurrence } {
  const layersOf = (numSamples: number): { layers: Layer[]; numFrames: number } => {
    let size = numSamples;
    // The norm of the samples reads them twice.
    const layers = [layer(0, 2 * numSamples, 0, 0)];
    for (const { convolution, poolSize } of network.filters) {
      const positions = outputSize(size, convolution);
      const pooled = Math.floor(positions / poolSize);
      const { multiplyAdds, weights } = convolved(convolution, size, positions);
      // Only pooled values are stored. The norm reads them again.
      layers.push(layer(multiplyAdds, size * convolution.numIn, 2 * pooled * convolution.numOut, weights));
      size = pooled;
    }
    for (const { input, recurrent } of network.lstms) {
      const [directions = 0, gates = 0, numIn = 0] = input.shape;
      const numUnits = recurrent.shape[2]!;
      layers.push(linear(size, numIn, directions * gates));
      const weights = product(recurrent.shape);
      layers.push(layer(size * weights, size * directions * gates, size * directions * numUnits, weights));
    }
    for (const { weight } of [...network.linears, network.classifier]) layers.push(linear(size, weight.shape[0]!, weight.shape[1]!));
    return { layers, numFrames: size };
  };
  return {
    numWeights: total(layersOf(0).layers).weights,
    of: (numSamples) => total(layersOf(numSamples).layers),
    recurrence: (numSamples) => {
      const [, gates = 0, numUnits = 0] = network.lstms[0]!.recurrent.shape;
      return { numFrames: layersOf(numSamples).numFrames, numLayers: network.lstms.length, weightsPerStep: gates * numUnits };
    },
  };
}

/** Work of CAM++ for a local speaker, by its number of feature frames. */
export function campplusWork(network: CampplusGraph, numMelBins: number): NetworkWork<number> {
  const layersOf = (numFrames: number): Layer[] => {
    const layers: Layer[] = [];
    let size = numMelBins;
    const along = (convolution: Convolution, from: number): number => {
      const to = outputSize(from, convolution);
      layers.push(convolved(convolution, numFrames * from, numFrames * to));
      return to;
    };
    size = along(network.stem, size);
    for (const { first, second, shortcut } of network.residualBlocks) {
      const between = along(first, size);
      if (shortcut) along(shortcut, size);
      size = along(second, between);
    }
    along(network.headEnd, size);
    const numRows = Math.max(0, outputSize(numFrames, network.tdnn));
    layers.push(convolved(network.tdnn, numFrames, numRows));
    const numSegments = Math.ceil(numRows / network.segmentFrames);
    for (const block of network.blocks) {
      for (const { bottleneck, context, local } of block.layers) {
        layers.push(convolved(bottleneck, numRows, numRows), convolved(local, numRows, numRows));
        // The context reads the bottleneck again.
        layers.push(layer(0, numRows * bottleneck.numOut, 0, 0));
        for (const one of context) layers.push(convolved(one, numSegments, numSegments));
      }
      layers.push(convolved(block.transit, numRows, numRows));
    }
    layers.push(layer(0, 2 * numRows * network.blocks.at(-1)!.transit.numOut, 0, 0));
    const [numOut = 0, numIn = 0] = network.embedding.weight.shape;
    layers.push(linear(1, numIn, numOut));
    return layers;
  };
  return { numWeights: total(layersOf(0)).weights, of: (numFrames) => total(layersOf(numFrames)) };
}

/** Work of ResNet34 for a window, by its number of feature frames, and for a local speaker of a window. */
export function resnetWork(
  graph: ResnetGraph,
  { numChannels, embeddingSize }: Pick<PooledHead, 'numChannels' | 'embeddingSize'>,
  numMelBins: number,
): NetworkWork<number> & { readonly ofSpeaker: (windowFrames: number) => LayerWork } {
  const positions = ({ numFrames, numFrequencies }: MapSize): number => numFrames * numFrequencies;
  const layersOf = (numFrames: number): Layer[] => {
    const sizes = mapSizes(graph, numFrames, numMelBins);
    const layers = [convolved(graph.stem, numFrames * numMelBins, positions(sizes[0]!))];
    for (const [block, { first, second, shortcut }] of graph.blocks.entries()) {
      const [from, to] = [positions(sizes[block]!), positions(sizes[block + 1]!)];
      layers.push(convolved(first, from, to), convolved(second, to, to));
      // The second convolution adds the shortcut, or the input of the block.
      layers.push(layer(0, to * second.numOut, 0, 0));
      if (shortcut) layers.push(convolved(shortcut, from, to));
    }
    return layers;
  };
  const linearOfSpeaker = linear(1, 2 * numChannels, embeddingSize);
  return {
    numWeights: total(layersOf(1)).weights + linearOfSpeaker.weights,
    of: (numFrames) => total(layersOf(numFrames)),
    // Means and deviations read the map one after the other.
    ofSpeaker: (windowFrames) => total([linearOfSpeaker, layer(0, 2 * numChannels * mapSizes(graph, windowFrames, numMelBins).at(-1)!.numFrames, 2 * numChannels, 0)]),
  };
}

/**
 * Dispatches of a batch of windows: gathering, convolutions, pooling and last layer; checks of the features, each map and the statistics;
 * markings of the embeddings, for features and for maps.
 */
export function resnetDispatches({ blocks }: Pick<ResnetGraph, 'blocks'>): number {
  const convolutions = 1 + blocks.reduce((sum, { shortcut }) => sum + (shortcut ? 3 : 2), 0);
  return 1 + convolutions + 2 + 1 + convolutions + 1 + 2;
}

/** Windows of a batch of ResNet34, if the device can bind buffers of any size. */
export const resnetBatchWindows = (graph: ResnetGraph, windowFrames: number, numMelBins: number): number =>
  maxBatchWindows(graph, windowFrames, numMelBins, Infinity);

/** Each layer of a dense block: bottleneck, gates, local convolution. */
const DENSE_DISPATCHES = 3;

/**
 * Dispatches of a batch of windows: norms, filters, LSTMs, linear layers and scores; checks of each map and the factors of the
 * filters, and the marking of the scores.
 */
export const pyannetDispatches = ({ filters, lstms, linears }: PyannetGraph): number =>
  1 + 4 * filters.length + 3 * lstms.length + 2 * linears.length + 1 + 1;

/** Windows that share a workgroup of the LSTM, as in gpuLstm.ts, whose kernel only a bundler can import. */
export const WINDOWS_PER_WORKGROUP = 2;

/** Dispatches of the filterbank of a batch: features and their check. */
export const FBANK_DISPATCHES = 2;

/**
 * Dispatches of a batch of local speakers: gathering, slices of the head, rows, statistics, embedding; checks of the features, the maps in the
 * head, its output, each block, their output and the statistics; markings of the embeddings, for features and for maps.
 */
export function campplusDispatches(network: CampplusGraph, { slices }: Pick<BatchLayout, 'slices'>): number {
  const { residualBlocks, blocks } = network;
  const head = 2 + residualBlocks.reduce((sum, { shortcut }) => sum + (shortcut ? 3 : 2), 0);
  const dense = blocks.reduce((sum, { layers }) => sum + DENSE_DISPATCHES * layers.length + 1, 0);
  return 1 + slices.length * head + 1 + dense + 2 + blocks.length + 5 + 2;
}

/** The layout of local speakers in one batch. */
export function layOut(network: CampplusGraph, lengths: readonly number[]): BatchLayout {
  const order = [...lengths.keys()].toSorted((a, b) => lengths[a]! - lengths[b]! || a - b);
  const reach = Math.max(...network.blocks.flatMap(({ layers }) => layers.map(({ local }) => local.pads[0]!)));
  return layOutItems(order, lengths, rowGeometry(network.tdnn, reach, network.segmentFrames), Infinity);
}
