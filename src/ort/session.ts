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
import { roundToFloat16 } from '../util/toFloat16';
import { ownValue } from '../util/values';
import { reasonOf } from './reason';
import { loadRuntime, saysOutOfMemory, webgpuProvider } from './runtime';

/** Log level of a session. Warnings, such as nodes that run on the CPU, would go to standard error in Node. */
const ERRORS = 3;

/** The parts of a runtime tensor that are used here. */
interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

type NumberArray = ArrayLike<number> & { readonly buffer: ArrayBufferLike };

/** The array type for each type of a graph's input. Half floats are passed as bits. */
const ARRAYS: Partial<Record<string, (values: ArrayLike<number>) => unknown>> = {
  float32: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values) => Float64Array.from(values),
  float16: (values) => roundToFloat16(Float32Array.from(values)).bits,
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
 * Converts the values to the array type of a tensor of `dtype`.
 *
 * @throws VoxlaneError `options` for an unsupported type, or for values outside the range of an integer type
 */
export function toRuntimeArray(dtype: string, values: Float32Array | ExactValues, name: string): unknown {
  const make = ownValue(ARRAYS, dtype);
  if (!make) throw unfit(name, `has the type ${dtype}`, `one of ${Object.keys(ARRAYS).join(', ')}`);
  const unfitting = firstUnfit(dtype, values);
  if (unfitting !== undefined) throw unfit(name, `is ${dtype}, but has the value ${unfitting}`, 'whole numbers in the range of its type');
  if (isBigArray(values)) return dtype === 'int64' ? BigInt64Array.from(values) : dtype === 'uint64' ? BigUint64Array.from(values) : make(numbersOf(values));
  return make(values);
}

/**
 * The values of a tensor from the runtime as float32. Integers above 2^24 are rounded.
 *
 * @throws VoxlaneError `model-output` for strings
 */
export function fromRuntime({ type, data }: RuntimeTensor, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  // The runtime returns a Float16Array if the browser has it, otherwise the bits.
  if (type === 'float16' && data instanceof Uint16Array) {
    return halfToFloat32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), true);
  }
  if (type === 'string') {
    throw new VoxlaneError({
      code: 'model-output',
      problem: `The value ${name} contains strings`,
      expected: 'a numeric value',
      remedy: 'Choose another value',
    });
  }
  return Float32Array.from(data as NumberArray);
}

/** The values in the runtime's own array if float32 rounds any of them. @param rounded the same values as float32 */
export function exactFromRuntime({ data }: RuntimeTensor, rounded: Float32Array): { readonly exact?: ExactValues } {
  return isExactArray(data) && losesValues(data, rounded) ? { exact: data.slice() } : {};
}

function unfit(name: string, found: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The graph's input ${name} ${found}`,
    expected,
    remedy: 'Pass values of the type of the input',
  });
}

/** The problem with a version, and its remedy. */
interface VersionProblem {
  /** The end of a sentence. */
  readonly reason: string;
  readonly expected: string;
  readonly remedy: string;
}

/** Earlier opsets are partly supported. The runtime warns about them and fails at an operator. */
const OLDEST_OPSET = 7;

const NEW_IR = /Unsupported model IR version: (\d+), max supported IR version: (\d+)/;
const NEW_OPSET = /Opset (\d+) is under development .* Current official support for domain (\S+) is till opset (\d+)/s;
const NO_IMPLEMENTATION = /Could not find an implementation for (\S+?)\(\d+\)/;
const NO_OPERATOR = /No Op registered for (\S+) with domain_version of (\d+)/;

/**
 * Recognizes failures caused by the version of a graph's file format (IR) or of its operators (opset).
 *
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
  reason: `the graph has opset ${version}, in which this runtime does not support ${operator}`,
  expected: `opset ${OLDEST_OPSET} or later, which this runtime supports`,
  remedy: `Export the graph with opset_version=${OLDEST_OPSET} or later, such as 17, or convert it with onnx.version_converter.convert_version(model, 17)`,
});

const unknownOperator = (operator: string, version: string): VersionProblem => ({
  reason: `it has no operator ${operator} in version ${version}`,
  expected: 'operators that this runtime supports in the version of the graph',
  remedy: `Export the graph with a later opset_version if ${operator} exists there; otherwise check the name and the domain of the operator`,
});

/** A value of a graph, row-major: as float32, and also in the graph's own type if float32 rounds any value. */
export interface SessionTensor {
  readonly data: Float32Array;
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type: `float32`, `int64` … */
  readonly dtype: string;
}

/** Values for an input. */
export interface Feed {
  readonly data: Float32Array;
  /** The same values without rounding; used instead of `data`. */
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type of this input. */
  readonly dtype: string;
}

/**
 * Any graph that is ready to run. Unlike a `Graph`, it has any number of inputs and outputs and does not check their
 * values.
 */
export interface Session {
  readonly outputNames: readonly string[];
  /** @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`, `options`, `model-output` */
  run(feeds: ReadonlyMap<string, Feed>): Promise<Map<string, SessionTensor>>;
  /** Frees the runtime's memory for this graph. The heap does not shrink. */
  release(): Promise<void>;
}

interface SessionOptions {
  /** Folder of ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; ignored on WebGPU. */
  readonly threads: number;
  /** Device to run on; null for WASM. */
  readonly gpu: GpuContext | null;
  /** Files that hold weights of the graph, by the location that its tensors name. */
  readonly externalData?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Opens any ONNX graph.
 *
 * In one worker, create sessions sequentially and run one at a time, as the runtime requires.
 *
 * @throws VoxlaneError `backend-failed` with the reason if it is known, `gpu-lost`, `gpu-memory`
 */
export async function openSession(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
  const { gpu, externalData = new Map<string, Uint8Array>() } = options;
  const guard = <Result>(work: () => Promise<Result>): Promise<Result> => (gpu ? gpu.guard(work) : work());
  const ort = await loadRuntime(gpu ? 'webgpu' : 'wasm', options);
  const provider = gpu ? webgpuProvider(gpu.device) : 'wasm';
  const failed = describeFailure(gpu !== null, bytes);
  const session = await guard(() =>
    ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      logSeverityLevel: ERRORS,
      externalData: Array.from(externalData, ([path, data]) => ({ path, data })),
    }).catch(failed('create a session for this graph')),
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
      expected: version?.expected ?? 'operators and types that this backend supports, and inputs with the shapes of the graph',
      remedy: version?.remedy ?? 'Try the other backend. The message of the runtime is in the details',
    },
    { cause },
  );
};
