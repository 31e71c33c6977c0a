import { graphOf, valueNames } from '../onnx/model';
import { dtypeName } from '../onnx/types';
import type { Tolerance } from './compare';
import type { GoldenStage } from './files/bundle';
import { unknownValues } from './findValue';
import { hasKernels } from './kernelRunner';
import type { OpenedFiles } from './openModel';
import { type Plan, unusedInputs } from './plan';

/** A stage that can be compared. */
export interface OpenedStage {
  /** Name in the golden bundle. */
  readonly name: string;
  /** Graph value at which it is tapped; null for our own filterbank, and if the graph has no value for it. */
  readonly value: string | null;
  /** Name of each of our axes. */
  readonly axes: readonly string[];
  /** Size of each axis of the golden tensor. */
  readonly goldenShape: readonly number[];
  /** Tolerance of the stage. */
  readonly tolerance: Tolerance;
  /** Kind of the value if the stage is left out because the value is not a numeric tensor: `a sequence`. */
  readonly skipped?: string;
  /** False if no graph value is known for it: the user may choose one. */
  readonly isMapped: boolean;
}

/** Describes the opened files. */
export interface Opened {
  /** ID of a bundled model, else the file name. */
  readonly model: string;
  /** True if the graph ships with this release. */
  readonly isShipped: boolean;
  /** The graph to compare. */
  readonly graph: {
    /** File size in bytes. */
    readonly bytes: number;
    /** SHA-256 of the file, 64 lower-case hex digits. */
    readonly sha256: string;
    /** Program that wrote the file, as stated in it. */
    readonly producer: string;
    /** Version of the default operator domain. */
    readonly opset: number;
    /** Number of nodes. */
    readonly numNodes: number;
    /** Inputs of the graph. */
    readonly inputs: readonly {
      /** Name of the input. */
      readonly name: string;
      /** Element type, such as `float32`. */
      readonly dtype: string;
      /** Size of each axis, or the name of a variable axis. */
      readonly shape: readonly (number | string)[];
    }[];
    /** Every value that can be tapped, in the order of computation. */
    readonly values: readonly {
      /** Name of the value. */
      readonly name: string;
      /** Operator that outputs it, such as `Conv`. */
      readonly op: string;
    }[];
    /** Every node, in the order of computation. */
    readonly nodes: readonly {
      /** Name of the node. */
      readonly name: string;
      /** Operator, such as `Conv`. */
      readonly op: string;
      /** Path of the module of the original network that computes it; null if unknown. */
      readonly module: string | null;
      /** Attributes as short text, by name. */
      readonly attributes: Readonly<Record<string, string>>;
      /** Names of the values that it reads, including those that only its subgraphs read. */
      readonly inputs: readonly string[];
      /** Names of the values that it computes. */
      readonly outputs: readonly string[];
    }[];
    /** Every weight. */
    readonly weights: readonly {
      /** Name of the weight. */
      readonly name: string;
      /** Element type, such as `float32`. */
      readonly dtype: string;
      /** Size of each axis. */
      readonly shape: readonly number[];
    }[];
  };
  /** Null if only a graph was opened: WebGPU is then compared with WASM by bisection. */
  readonly goldens: {
    /** File name of the bundle. */
    readonly file: string;
    /** In graph order; stages without a graph value come last. */
    readonly stages: readonly OpenedStage[];
    /** Origin of the values, as stated by the writer of the bundle. */
    readonly source: Readonly<Record<string, unknown>>;
    /** Assumptions and losses while reading, for the user. */
    readonly notes: readonly string[];
  } | null;
  /** Recorded steps of a model with a state, and the selected one; null for other models. */
  readonly steps: {
    /** Number of the selected step: its golden state and stages are compared. */
    readonly selected: number;
    /** In the order of the recording. */
    readonly recorded: readonly {
      /** Number of the step in the recording, from 0. */
      readonly index: number;
      /** First encoder frame of its chunk. */
      readonly firstFrame: number;
    }[];
  } | null;
  /** True if a diarizer runs this graph on our own kernels on WASM. Then the kernels can be compared as well. */
  readonly hasKernels: boolean;
  /** The recording in the bundle's input, for playback and for the waveform above the heatmap. */
  readonly waveform: {
    /** Mono, axes (sample). */
    readonly samples: Float32Array;
    /** In hertz. */
    readonly sampleRate: number;
  } | null;
  /** File name of the checkpoint opened with the graph, for the weights audit. */
  readonly checkpoint: string | null;
}

/** Describes the opened files for the panel. */
export function describeOpened(files: OpenedFiles, plan: Plan | null): Opened {
  const { info, bundle, goldenFile } = files;
  const { initializer } = graphOf(files.model);
  const opOf = new Map(info.nodes.flatMap(({ op, outputs }) => outputs.map((name) => [name, op] as const)));
  return {
    model: files.name,
    isShipped: files.isShipped,
    graph: {
      bytes: files.bytes,
      sha256: files.sha256,
      producer: info.producer,
      opset: info.opset,
      numNodes: info.nodes.length,
      inputs: info.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: shape ?? [] })),
      values: valueNames(info).map((name) => ({ name, op: opOf.get(name)! })),
      nodes: info.nodes.map(({ name, op, scope, attributes, inputs, captured, outputs }) => ({
        name,
        op,
        module: scope?.paths[0] ?? null,
        attributes,
        // An omitted optional input has an empty name.
        inputs: [...new Set([...inputs, ...captured])].filter((input) => input !== ''),
        outputs,
      })),
      weights: initializer.map(({ name, dataType, dims }) => ({ name, dtype: dtypeName(dataType), shape: dims.map(Number) })),
    },
    goldens: bundle &&
      plan && {
        file: goldenFile,
        stages: [
          ...plan.stages.map(({ golden, value, axes, isFeatures }) => ({
            ...describeStage(golden),
            value: isFeatures ? null : value,
            axes,
            isMapped: true,
          })),
          ...plan.skipped.map(({ golden, kind }) => ({ ...describeStage(golden), value: null, axes: golden.axes, isMapped: false, skipped: kind })),
          ...plan.unmapped.map((golden) => ({ ...describeStage(golden), value: null, axes: golden.axes, isMapped: false })),
        ],
        source: bundle.source,
        notes: [...bundle.notes, ...(files.manifest ? [] : unusedInputs(bundle, info)), ...unknownValues(bundle.stages, info), ...plan.skipped.map(({ golden, kind }) => `${golden.name} is left out: its value in the graph is ${kind}, not a numeric tensor`)],
      },
    hasKernels: hasKernels(files.model, files.manifest),
    waveform: plan?.waveform ?? null,
    steps: files.streamed && {
      selected: files.streamed.selected,
      recorded: (files.streamed.bundle.streaming?.steps ?? []).map(({ index, firstFrame }) => ({ index, firstFrame })),
    },
    checkpoint: files.checkpoint?.name ?? null,
  };
}

const describeStage = ({ name, shape, tolerance }: GoldenStage): Pick<OpenedStage, 'name' | 'goldenShape' | 'tolerance'> => ({
  name,
  goldenShape: shape,
  tolerance,
});
