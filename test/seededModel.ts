import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { copyWith } from '../src/onnx/nodes';
import { encodeOnnx, graphOf } from '../src/onnx/model';
import { ModelProtoSchema, TensorProto_DataLocation, TensorProtoSchema, type TensorProto } from '../src/onnx/onnx_pb';
import { numValuesOf, shapeOf, tensorValues } from '../src/onnx/tensors';
import { uniform } from '../src/util/uniform';

/** Skeletons and goldens of the seeded ResNet34, written by `models/wespeaker-resnet34-lm/export.py`. */
export const RESNET34_FIXTURES = join('e2e', 'fixtures', 'resnet34');

/** Export variant of a ResNet34: as published by WeSpeaker, or from pyannote.audio's class. */
export type Resnet34Form = 'wespeaker' | 'pyannote';

const GAIN_SUFFIX = '/gain';

/**
 * The seeded WeSpeaker ResNet34 as a full-size ONNX file: 26 MB generated from a skeleton of 60 kB. The repository does not
 * need to contain it, and the tests do not need Python. The weights are bit-identical to those defined in
 * `models/wespeaker-resnet34-lm/seeded.py`.
 *
 * @param folder contains the skeletons
 */
export function seededResnet34(form: Resnet34Form, folder = RESNET34_FIXTURES): Uint8Array<ArrayBuffer> {
  const bytes = readFileSync(join(folder, `${form}.onnx`));
  // `parseOnnx` would reject a file with external weights.
  const skeleton = fromBinary(ModelProtoSchema, Uint8Array.from(bytes));
  const graph = graphOf(skeleton);
  const gains = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const initializer = graph.initializer
    .filter(({ name }) => !name.endsWith(GAIN_SUFFIX))
    .map((tensor) =>
      tensor.dataLocation === TensorProto_DataLocation.EXTERNAL ? filled(tensor, gains.get(tensor.name + GAIN_SUFFIX)) : tensor,
    );
  return encodeOnnx(copyWith(skeleton, { graph: copyWith(graph, { initializer }) }));
}

/** The weights of one layer: generated numbers times the gain of their output channel. */
function filled(tensor: TensorProto, gainTensor: TensorProto | undefined): TensorProto {
  const { name, dataType, dims } = tensor;
  const seed = Number(tensor.externalData.find(({ key }) => key === 'seed')?.value);
  const gains = gainTensor && tensorValues(gainTensor);
  if (!gains || !Number.isInteger(seed)) throw new Error(`${name} has no seed or no gains`);
  const values = uniform(seed, numValuesOf(tensor));
  const perChannel = values.length / shapeOf(tensor)[0]!;
  // A float64 holds the product of two float32 values exactly, so only storing it rounds.
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * gains[Math.floor(i / perChannel)]!;
  return create(TensorProtoSchema, { name, dataType, dims, rawData: new Uint8Array(values.buffer) });
}
