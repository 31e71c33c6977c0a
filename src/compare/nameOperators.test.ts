import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { ModelProtoSchema, type ModelProto } from '../onnx/onnx_pb';
import { VoxlaneError } from '../util/errors';
import { namingOperators } from './graphRunner';

const modelOf = (...operators: string[]): ModelProto =>
  create(ModelProtoSchema, { graph: { node: operators.map((opType) => ({ opType })) } });
const cause = new Error('the runtime');
const failing = (problem: string, code: 'backend-failed' | 'gpu-lost' = 'backend-failed') => () =>
  Promise.reject(new VoxlaneError({ code, problem, remedy: 'r' }, { cause }));

it('adds operators to a message that names none of them', async () => {
  const error: unknown = await namingOperators(modelOf('Cast', 'Add', 'Cast'), failing('It failed')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'backend-failed', problem: 'It failed (operators Cast, Add)', remedy: 'r', cause });
});

it('names at most five operators', async () => {
  const many = modelOf('A', 'B', 'C', 'D', 'E', 'F', 'G');
  await expect(namingOperators(many, failing('It stopped'))).rejects.toMatchObject({ problem: 'It stopped (operators A, B, C, D, E and 2 more)' });
});

it.each([
  ['It has no Cast', modelOf('Cast', 'Add'), undefined],
  ['The device is lost', modelOf('Cast'), 'gpu-lost'],
] as const)('keeps "%s" unchanged', async (problem, model, code) => {
  await expect(namingOperators(model, failing(problem, code))).rejects.toMatchObject({ problem });
});
