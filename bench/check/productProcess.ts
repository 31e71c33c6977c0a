/**
 * Compares ways in which ONNX Runtime computes one product of Nemotron 3 Diarization on WASM with one thread: 684 frames, 512
 * inputs, 2,048 outputs. Prints processor time in ms by way, the least of several runs that take turns, as JSON.
 */
import { encodeOnnx } from '../../src/onnx/model';
import { type ModelProto, TensorProto_DataLocation, TensorProto_DataType, type TensorProto } from '../../src/onnx/onnx_pb';
import { openSession } from '../../src/ort/session';
import { graphInForm } from '../../src/weights/graphForm';
import { channelScales, fineScales, quantize, quantizeRest } from '../../src/weights/int8';
import { RUNTIME_BASE } from '../../test/gpu/dawn';
import { build, float, int, node, weight } from '../../test/onnx/build';
import { uniform } from '../../src/util/uniform';

const NUM_FRAMES = 684;
const NUM_INPUTS = 512;
const NUM_OUT = 2048;
/** Runs in a row, so the clock's resolution does not matter, and times that each way has a turn. */
const NUM_RUNS = 4;
const NUM_TURNS = 7;
/** Inputs that share a scale in MatMulNBits. It accepts no more. */
const BLOCK = 256;

const floats = uniform(1, NUM_OUT * NUM_INPUTS);
const scales = channelScales(floats, [NUM_OUT, NUM_INPUTS], 0);
const multiples = quantize(floats, scales, [NUM_OUT, NUM_INPUTS], 0);
const rest = quantizeRest(floats, scales, multiples, [NUM_OUT, NUM_INPUTS], 0);

const integers = (name: string, shape: readonly number[], dataType: TensorProto_DataType, values: Int8Array | Uint8Array): TensorProto =>
  Object.assign(weight(name, shape, []), { dataType, rawData: new Uint8Array(values.buffer) });

const graph = (nodes: readonly ReturnType<typeof node>[], initializer: TensorProto[], domains: readonly string[] = []): ModelProto =>
  build(
    { node: [...nodes], input: [float('x', null, NUM_INPUTS)], output: [float('y', null, NUM_OUT)], initializer },
    { opsetImport: [{ domain: '', version: 17n }, ...domains.map((domain) => ({ domain, version: 1n }))] },
  );

const transposed = { attribute: [int('transB', 1)] };
const float32 = graph([node('Gemm', ['x', 'w'], ['y'], transposed)], [weight('w', [NUM_OUT, NUM_INPUTS], Array.from(floats))]);

/** The graph that product code would read from converted weights, with the weights inside. */
function inInt8(): ModelProto {
  const model = graph([node('Gemm', ['x', 'w'], ['y'], transposed)], [
    Object.assign(weight('w', [NUM_OUT, NUM_INPUTS], []), { dataLocation: TensorProto_DataLocation.EXTERNAL }),
  ]);
  const converted = graphInForm(model, 'int8');
  converted.graph!.initializer = [
    integers('w', [NUM_OUT, NUM_INPUTS], TensorProto_DataType.INT8, multiples),
    weight('w.scale', [NUM_OUT], Array.from(scales)),
    integers('w.fine', [NUM_OUT, NUM_INPUTS], TensorProto_DataType.INT8, rest),
    weight('w.fine.scale', [NUM_OUT], Array.from(fineScales(scales))),
  ];
  return converted;
}

/** Eight-bit blocks with the highest accuracy level, which allows integer products. */
function blocks(): ModelProto {
  const count = NUM_INPUTS / BLOCK;
  const attribute = [int('K', NUM_INPUTS), int('N', NUM_OUT), int('bits', 8), int('block_size', BLOCK), int('accuracy_level', 4)];
  const repeated = Array.from({ length: NUM_OUT * count }, (_, i) => scales[Math.floor(i / count)]!);
  return graph(
    [node('MatMulNBits', ['x', 'w', 's'], ['y'], { attribute, domain: 'com.microsoft' })],
    [integers('w', [NUM_OUT, count, BLOCK], TensorProto_DataType.UINT8, Uint8Array.from(multiples, (value) => value + 128)), weight('s', [repeated.length], repeated)],
    ['com.microsoft'],
  );
}

/** Milliseconds of processor time of one product, by way. */
export type ProductFigures = Readonly<Record<'float32' | 'int8' | 'MatMulNBits', number>>;

const models: Readonly<Record<keyof ProductFigures, ModelProto>> = {
  float32,
  int8: inInt8(),
  MatMulNBits: blocks(),
};
const ways = Object.keys(models) as (keyof ProductFigures)[];
const sessions = new Map<string, Awaited<ReturnType<typeof openSession>>>();
for (const way of ways) sessions.set(way, await openSession(encodeOnnx(models[way]), { runtimeBase: RUNTIME_BASE, threads: 1, gpu: null }));

const feeds = new Map([['x', { data: uniform(2, NUM_FRAMES * NUM_INPUTS), shape: [NUM_FRAMES, NUM_INPUTS], dtype: 'float32' }]]);
const least = Object.fromEntries(ways.map((way) => [way, Infinity]));
for (let turn = 0; turn <= NUM_TURNS; turn++) {
  for (const way of ways) {
    const before = process.cpuUsage();
    for (let run = 0; run < NUM_RUNS; run++) await sessions.get(way)!.run(feeds);
    const { user, system } = process.cpuUsage(before);
    // The first turn is warm-up.
    if (turn > 0) least[way] = Math.min(least[way]!, (user + system) / 1000 / NUM_RUNS);
  }
}
console.log(JSON.stringify(least));
