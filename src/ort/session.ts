import { type GpuContext, gpuMemory } from '../gpu/context';
import { opsetOf } from '../onnx/model';
import { messageOf, VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import {
  type ExactValues,
  firstUnfit,
  halfToFloat32,
  isBigArray,
  isExactArray,
  losesValues,
  numbersOf,
} from '../util/numberTypes';
import { ownValue } from '../util/values';
import { reasonOf } from './reason';
import { loadRuntime, saysOutOfMemory, webgpuProvider } from './runtime';

/** A tensor of the runtime as far as it is needed here. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

type NumberArray = ArrayLike<number> & { readonly buffer: ArrayBufferLike };

/** Arrays that the runtime wants for each type of a graph's input. Half floats go in as their bits. */
const ARRAYS: Partial<Record<string, (values: ArrayLike<number>) => unknown>> = {
  float32: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values) => Float64Array.from(values),
  float16: (values) => Uint16Array.from(values, float32ToHalf),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  bool: (values) => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  int64: (values) => BigInt64Array.from(Array.from(values, (value) => BigInt(value))),
  uint64: (values) => BigUint64Array.from(Array.from(values, (value) => BigInt(value))),
};

/**
 * The values as an array that a tensor of `dtype` takes.
 *
 * @throws VoxlaneError `options` for a type that numbers cannot be given for, or numbers that an integer type cannot hold
 */
export function toRuntimeArray(dtype: string, values: Float32Array | ExactValues, name: string): unknown {
  const make = ownValue(ARRAYS, dtype);
  if (!make) throw unfit(name, `is of the type ${dtype}`, `one of ${Object.keys(ARRAYS).join(', ')}`);
  const unfitting = firstUnfit(dtype, values);
  if (unfitting !== undefined) throw unfit(name, `is ${dtype}, and has the value ${unfitting}`, 'whole numbers in the range of its type');
  if (isBigArray(values)) return dtype === 'int64' ? BigInt64Array.from(values) : dtype === 'uint64' ? BigUint64Array.from(values) : make(numbersOf(values));
  return make(values);
}

/**
 * The values of a tensor that the runtime gave, as float32 (whole numbers above 2^24 are rounded).
 *
 * @throws VoxlaneError `model-output` for strings
 */
export function fromRuntime({ type, data }: RuntimeTensor, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  // Where the browser has Float16Array the runtime gives that, elsewhere the bits.
  if (type === 'float16' && data instanceof Uint16Array) {
    return halfToFloat32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), true);
  }
  if (type === 'string') {
    throw new VoxlaneError({
      code: 'model-output',
      problem: `The value ${name} holds strings`,
      expected: 'a value of numbers',
      remedy: 'Tap another value',
    });
  }
  return Float32Array.from(data as NumberArray);
}

/** The values in the runtime's own array, if float32 rounds one of them. @param rounded the same as float32 */
export function exactFromRuntime({ data }: RuntimeTensor, rounded: Float32Array): { readonly exact?: ExactValues } {
  return isExactArray(data) && losesValues(data, rounded) ? { exact: data.slice() } : {};
}

/** Bits of the nearest half float, ties to even, as IEEE 754 rounds. */
function float32ToHalf(value: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From the middle between the greatest half, 65504, and the next power of two on.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below half of the least subnormal nothing is left; below the least normal one the step is fixed.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(value) * 2 ** 24);
  const shifted = magnitude - 0x38000000;
  return sign | ((shifted + 0x0fff + ((shifted >>> 13) & 1)) >>> 13);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function unfit(name: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The graph's input ${name} ${found}`,
    expected,
    remedy: 'Give the input values of its type',
  });
}

/** Failures of ONNX Runtime because of the version of a graph's file format (IR) or of its operators (opset). */

/** What is wrong with a version, and what to do. */
export interface VersionProblem {
  /** The end of a sentence. */
  readonly reason: string;
  readonly expected: string;
  readonly remedy: string;
}

/** Earlier ones are supported in part. The runtime says so in a warning, and fails at an operator. */
const OLDEST_OPSET = 7;

const NEW_IR = /Unsupported model IR version: (\d+), max supported IR version: (\d+)/;
const NEW_OPSET = /Opset (\d+) is under development .* Current official support for domain (\S+) is till opset (\d+)/s;
const NO_IMPLEMENTATION = /Could not find an implementation for (\S+?)\(\d+\)/;
const NO_OPERATOR = /No Op registered for (\S+) with domain_version of (\d+)/;

/**
 * @param opset reads the version of ONNX's own operators from the graph; called only if it matters
 * @returns null if the failure has another reason
 */
export function versionProblem(message: string, opset: () => number): VersionProblem | null {
  const ir = NEW_IR.exec(message);
  if (ir) return newIr(ir[1]!, ir[2]!);
  const tooNew = NEW_OPSET.exec(message);
  if (tooNew) return newOpset(tooNew[1]!, tooNew[2]!, tooNew[3]!);
  const without = NO_IMPLEMENTATION.exec(message);
  if (without && opset() < OLDEST_OPSET) return oldOpset(opset(), without[1]!);
  const unknown = NO_OPERATOR.exec(message);
  return unknown && unknownOperator(unknown[1]!, unknown[2]!);
}

const newIr = (version: string, latest: string): VersionProblem => ({
  reason: `the graph has ONNX IR version ${version}`,
  expected: `IR version ${latest} or earlier, which this runtime supports`,
  remedy: `Export the graph with an earlier release of the onnx package, or load it with onnx in Python, set model.ir_version = ${latest} and save it`,
});

function newOpset(version: string, domain: string, latest: string): VersionProblem {
  const isDefault = domain === 'ai.onnx';
  return {
    reason: `the graph has opset ${version}${isDefault ? '' : ` of ${domain}`}`,
    expected: `opset ${latest} or earlier${isDefault ? '' : ` of ${domain}`}, which this runtime supports`,
    remedy: isDefault
      ? `Export the graph with opset_version=${latest}, or convert it with onnx.version_converter.convert_version(model, ${latest})`
      : `Export the graph with opset ${latest} of ${domain}`,
  };
}

const oldOpset = (version: number, operator: string): VersionProblem => ({
  reason: `the graph has opset ${version}, of which this runtime has no ${operator}`,
  expected: `opset ${OLDEST_OPSET} or later, which this runtime supports`,
  remedy: `Export the graph with opset_version=${OLDEST_OPSET} or later, such as 17, or convert it with onnx.version_converter.convert_version(model, 17)`,
});

const unknownOperator = (operator: string, version: string): VersionProblem => ({
  reason: `it has no operator ${operator} in version ${version}`,
  expected: 'operators that this runtime has in the version that the graph names',
  remedy: `Export the graph with a later opset_version if ${operator} exists there; otherwise check the name and the domain of the operator`,
});

/** A value of a graph, row-major: float32 whatever the graph's own type is, and in its own type if float32 rounds any value. */
export interface SessionTensor {
  readonly data: Float32Array;
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type: `float32`, `int64` … */
  readonly dtype: string;
}

/** What an input is fed with. */
export interface Feed {
  readonly data: Float32Array;
  /** The same without rounding; takes the place of `data`. */
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type of this input. */
  readonly dtype: string;
}

/** Any graph, ready to run. Unlike a `Graph`, it takes and gives any number of values and judges none of them. */
export interface Session {
  readonly outputNames: readonly string[];
  /** @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`, `options`, `model-output` */
  run(feeds: ReadonlyMap<string, Feed>): Promise<Map<string, SessionTensor>>;
  /** Frees what the runtime holds for this graph; its heap does not shrink. */
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Holds ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; of no meaning on WebGPU. */
  readonly threads: number;
  /** Device to run on; null for WASM. */
  readonly gpu: GpuContext | null;
}

/**
 * Opens any ONNX graph.
 *
 * Sessions of one worker must be made one after another, and run one at a time: the runtime asks for it.
 *
 * @throws VoxlaneError `backend-failed` with the reason if it is known, `gpu-lost`, `gpu-memory`
 */
export async function openSession(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
  const { gpu } = options;
  const guard = <Result>(work: () => Promise<Result>): Promise<Result> => (gpu ? gpu.guard(work) : work());
  const ort = await loadRuntime(gpu ? 'webgpu' : 'wasm', options);
  const provider = gpu ? webgpuProvider(gpu.device) : 'wasm';
  const failed = describeFailure(gpu !== null, bytes);
  const session = await guard(() =>
    ort.InferenceSession.create(bytes, { executionProviders: [provider] }).catch(failed('make a session of this graph')),
  );
  return {
    outputNames: session.outputNames,
    run: (feeds) =>
      guard(async () => {
        const tensors = Object.fromEntries(
          Array.from(feeds, ([name, { data, exact, shape, dtype }]) => [
            name,
            new ort.Tensor(dtype as 'float32', toRuntimeArray(dtype, exact ?? data, name) as Float32Array, shape),
          ]),
        );
        const results = await session.run(tensors).catch(failed('run this graph'));
        return new Map(
          Object.entries(results).map(([name, tensor]) => {
            const data = fromRuntime(tensor, name);
            return [name, { data, ...exactFromRuntime(tensor, data), shape: tensor.dims, dtype: tensor.type }];
          }),
        );
      }),
    release: () => session.release(),
  };
}

const describeFailure = (onGpu: boolean, graph: Uint8Array) => (deed: string) => (cause: unknown): never => {
  const message = messageOf(cause);
  if (onGpu && saysOutOfMemory(message)) throw gpuMemory(message);
  const version = versionProblem(message, () => opsetOf(graph));
  throw new VoxlaneError(
    {
      code: 'backend-failed',
      problem: [`${onGpu ? 'WebGPU' : 'WASM'} could not ${deed}`, version?.reason ?? reasonOf(message)].filter(Boolean).join(': '),
      expected: version?.expected ?? 'operators and types that this backend has, and inputs of the shapes that the graph wants',
      remedy: version?.remedy ?? 'Try the other backend. The details give the message of the runtime',
    },
    { cause },
  );
};
