import { expect, it } from 'vitest';
import { build, float, node } from '../../test/onnx/build';
import { graphInfo } from '../onnx/model';
import { upstreamStages } from './run';

const stage = (name: string, value = name) => ({ golden: { name }, value });

it('finds the stages that a stage is computed from, even through values that are not stages', () => {
  const info = graphInfo(
    build({
      node: [
        node('Abs', ['x'], ['a']),
        node('Abs', ['z'], ['b']),
        node('Neg', ['a'], ['between']),
        node('Add', ['between', 'b'], ['y']),
      ],
      input: [float('x', 1), float('z', 1)],
      output: [float('y', 1)],
    }),
  );
  const upstream = upstreamStages(info, [stage('features', 'x'), stage('a'), stage('b'), stage('y'), stage('again', 'y')]);
  expect([...upstream]).toEqual([
    ['features', []],
    ['a', ['features']],
    ['b', []],
    ['y', ['features', 'a', 'b']],
    ['again', ['features', 'a', 'b', 'y']],
  ]);
});
