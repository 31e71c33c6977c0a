import { beforeAll, describe, expect, it } from 'vitest';
import { seededResnet34 } from '../../test/seededModel';
import { copyWith } from '../onnx/nodes';
import { graphOf, parseOnnx } from '../onnx/model';
import type { NodeProto } from '../onnx/onnx_pb';
import { type PooledNetwork, splitAtPooling } from '../onnx/pooled';
import { MAX_MAP_BYTES, mapLength, maxBatchWindows, pairSizes, windowLength } from './imageLayout';
import { mapSizes, readResnet } from './resnetGraph';

describe('the graph of ResNet34', () => {
  let network: PooledNetwork;
  beforeAll(() => {
    network = splitAtPooling(parseOnnx(seededResnet34('wespeaker'), 'wespeaker'));
  });

  /** The network with changed nodes. */
  function changed(change: (node: NodeProto) => NodeProto): PooledNetwork {
    const graph = graphOf(network.backbone);
    return { ...network, backbone: copyWith(network.backbone, { graph: copyWith(graph, { node: graph.node.map(change) }) }) };
  }
  /** The network whose convolution with an attribute, counted from 0, has other values. */
  const withAttribute = (convolution: number, name: string, values: readonly number[]): PooledNetwork => {
    let index = 0;
    return changed((node) => {
      if (node.opType !== 'Conv' || index++ !== convolution) return node;
      return copyWith(node, { attribute: node.attribute.map((own) => (own.name === name ? copyWith(own, { ints: values.map(BigInt) }) : own)) });
    });
  };

  it('has 16 blocks, of which three double the channels and halve the map', () => {
    const graph = readResnet(network);
    expect(graph.stem).toMatchObject({ numIn: 1, numOut: 32 });
    expect(graph.blocks.map(({ second }) => second.numOut)).toEqual([...Array<number>(3).fill(32), ...Array<number>(4).fill(64), ...Array<number>(6).fill(128), ...Array<number>(3).fill(256)]);
    expect(graph.blocks.flatMap(({ shortcut }, block) => (shortcut ? [block] : []))).toEqual([3, 7, 13]);
    expect(graph.layerValues.flatMap((name, index) => (name === null ? [] : [index]))).toEqual([0, 3, 7, 13, 16]);
    expect(graph.layerValues.at(-1)).toBe(network.map);
    const sizes = mapSizes(graph, 998, 80);
    expect(sizes).toHaveLength(17);
    expect(sizes[0]).toEqual({ numFrames: 998, numFrequencies: 80, numChannels: 32 });
    expect(sizes.at(-1)).toEqual({ numFrames: 125, numFrequencies: 10, numChannels: 256 });
    expect(mapSizes(graph, 1, 80).at(-1)).toEqual({ numFrames: 1, numFrequencies: 10, numChannels: 256 });
  });

  it('fits into memory in batches: by the sum of the maps, and by the largest', () => {
    const graph = readResnet(network);
    const sizes = pairSizes(graph, 998, 80);
    expect(sizes.map(({ numChannels }) => numChannels)).toEqual([32, 64, 128, 256]);
    const most = maxBatchWindows(graph, 998, 80, Infinity);
    const bytes = (numWindows: number): number => 8 * sizes.reduce((sum, size) => sum + mapLength(size, numWindows), 0);
    expect([bytes(most) <= MAX_MAP_BYTES, bytes(most + 1) <= MAX_MAP_BYTES]).toEqual([true, false]);
    const binding = 4 * 3 * windowLength(sizes[0]!) - 4;
    expect(maxBatchWindows(graph, 998, 80, binding)).toBe(2);
    expect(maxBatchWindows(graph, 998, 80, 1)).toBe(1);
  });

  it.each([
    ['a stride along one axis only', 7, 'strides', [2, 1]],
    ['a block whose shortcut has another stride', 9, 'strides', [1, 1]],
    ['padding on one axis only', 1, 'pads', [1, 0, 1, 0]],
    ['a dilation', 2, 'dilations', [2, 2]],
    ['a stem with a stride', 0, 'strides', [2, 2]],
  ] as const)('is rejected with %s', (_, convolution, name, values) => {
    expect(() => readResnet(withAttribute(convolution, name, values))).toThrow(expect.objectContaining({ code: 'model-invalid' }));
  });

  it('is rejected with another activation', () => {
    let index = 0;
    const other = changed((node) => (node.opType === 'Relu' && index++ === 3 ? copyWith(node, { opType: 'Sigmoid' }) : node));
    expect(() => readResnet(other)).toThrow(expect.objectContaining({ code: 'model-invalid' }));
  });
});
