import { describe, expect, it } from 'vitest';
import { build, node } from '../../../test/onnx/build';
import { graphOf } from '../../onnx/model';
import { equalNames, mappedNames, namesByNode } from './match';

describe('mappedNames', () => {
  it.each([
    ['module.conv.weight', 'conv.weight'],
    ['_orig_mod.model.conv.weight', 'module.conv.weight'],
    ['/layer1/conv/weight', 'layer1.conv.weight'],
    ['layer1_0_conv_weight', 'layer1.0.conv.weight'],
    ['conv.weight', 'conv/kernel'],
    ['norm.running_mean', 'norm/moving_mean'],
    ['norm.weight', 'norm/gamma'],
    ['conv1d.0.bias', 'sincnet.conv1d.0.bias'],
    ['whole.sincnet.conv1d.0.bias', 'conv1d.0.bias'],
  ])('%s and %s are the same name', (ours, theirs) => {
    expect(mappedNames(['a.weight', ours], [theirs, 'b.bias'])).toEqual([[1, 0]]);
    expect(mappedNames(['b.bias', theirs], [ours, 'a.weight'])).toEqual([[1, 0]]);
  });

  it.each([
    ['with several equal endings', ['conv.weight'], ['one.conv.weight', 'two.conv.weight']],
    ['that every layer has', ['weight'], ['conv.weight']],
    ['that only end alike within a word', ['conv.weight'], ['deconv.weight']],
    ['that are empty', ['', ''], ['', 'conv.weight']],
  ])('leaves out names %s', (_, ours, theirs) => {
    expect(mappedNames(ours, theirs)).toEqual([]);
    expect(mappedNames(theirs, ours)).toEqual([]);
  });
});

it('equalNames uses the first of duplicate names, and skips empty names', () => {
  expect(equalNames(['', 'a', 'b', 'a'], ['b', '', 'a', 'a'])).toEqual([[1, 2], [2, 0]]);
});

it('namesByNode reads the path of the node, only for weights that the exporter named', () => {
  const model = build({
    node: [
      node('MatMul', ['x', 'onnx::MatMul_7'], ['a'], { name: '/linear.0/MatMul' }),
      node('Conv', ['a', 'onnx::Conv_8', 'onnx::Conv_9'], ['b'], { name: '/head/layer1/layer1.0/conv1/Conv' }),
      node('MatMul', ['b', 'own.name'], ['c'], { name: '/other/MatMul' }),
      node('MatMul', ['c', 'onnx::MatMul_10'], ['d'], { name: '/MatMul' }),
    ],
  });
  expect(Object.fromEntries(namesByNode(graphOf(model)))).toEqual({
    'onnx::MatMul_7': 'linear.0.weight',
    'onnx::Conv_8': 'head.layer1.0.conv1.weight',
    'onnx::Conv_9': 'head.layer1.0.conv1.bias',
  });
});
