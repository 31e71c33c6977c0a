import { graphOf, valueNames } from '../onnx/model';
import { dtypeName } from '../onnx/types';
import type { GoldenStage } from './bundle';
import type { Tolerance } from './compare';
import { hasKernels } from './kernels/openKernels';
import type { OpenedFiles } from './openModel';
import { unknownValues } from './findValue';
import { unusedInputs, type Plan } from './plan';

/** A stage that can be compared. */
export interface OpenedStage {
  /** As the golden bundle calls it. */
  readonly name: string;
  /** Graph value that it is tapped at; null for our own filterbank, and where the graph has none for it. */
  readonly value: string | null;
  /** Name of each axis of ours. */
  readonly axes: readonly string[];
  /** Size of each axis of the golden tensor. */
  readonly goldenShape: readonly number[];
  /** What the stage is judged by. */
  readonly tolerance: Tolerance;
  /** What its value is, if it is left out because that is no tensor of numbers: `a sequence`. */
  readonly skipped?: string;
  /** False where no graph value is known for it: the user may name one. */
  readonly isMapped: boolean;
}

/** What the opened files are. */
export interface Opened {
  /** Id of a shipped model, else the name of the file. */
  readonly model: string;
  /** Whether the graph is the one that ships with this release. */
  readonly isShipped: boolean;
  /** The graph that is compared. */
  readonly graph: {
    /** Length of its file. */
    readonly bytes: number;
    /** Of its file, 64 lower-case hex digits. */
    readonly sha256: string;
    /** Program that wrote it, as it says. */
    readonly producer: string;
    /** Of the default operator domain. */
    readonly opset: number;
    /** How many nodes it has. */
    readonly numNodes: number;
    /** What it takes. */
    readonly inputs: readonly {
      /** Of the input. */
      readonly name: string;
      /** Such as `float32`. */
      readonly dtype: string;
      /** Size of each axis, or the name of one that varies. */
      readonly shape: readonly (number | string)[];
    }[];
    /** Every value that can be tapped, in the order in which the graph computes them, and the op that gives it. */
    readonly values: readonly {
      /** Of the value. */
      readonly name: string;
      /** Operator that gives it, such as `Conv`. */
      readonly op: string;
    }[];
    /** Every node, in the order in which the graph computes them. */
    readonly nodes: readonly {
      /** Name of the node. */
      readonly name: string;
      /** Operator, such as `Conv`. */
      readonly op: string;
      /** Path of the module of the original network that computes it; null if it is not known. */
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
      /** Type of its elements, such as `float32`. */
      readonly dtype: string;
      /** Size of each axis. */
      readonly shape: readonly number[];
    }[];
  };
  /** Null where only a graph was given: then there is WebGPU against WASM by bisection. */
  readonly goldens: {
    /** Name of the bundle's file. */
    readonly file: string;
    /** In the order of the graph; those without a value of it last. */
    readonly stages: readonly OpenedStage[];
    /** As their writer told it. */
    readonly source: Readonly<Record<string, unknown>>;
    /** What was assumed or lost in reading, for people. */
    readonly notes: readonly string[];
  } | null;
  /** Whether a diarizer runs this graph on our own kernels on WASM, so that these can be compared as well. */
  readonly hasKernels: boolean;
  /** The recording that the bundle's input is, for playing and for the waveform above the heatmap. */
  readonly waveform: {
    /** Mono, axes (sample). */
    readonly samples: Float32Array;
    /** In hertz. */
    readonly sampleRate: number;
  } | null;
  /** File name of the checkpoint that was given beside the graph, for the weights audit. */
  readonly checkpoint: string | null;
}

/** What the panel shows of what was opened. */
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
        // An optional input that is absent has no name.
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
        notes: [...bundle.notes, ...(files.manifest ? [] : unusedInputs(bundle, info)), ...unknownValues(bundle.stages, info), ...plan.skipped.map(({ golden, kind }) => `${golden.name} is left out: its value in the graph is ${kind}, no tensor of numbers`)],
      },
    hasKernels: hasKernels(files.model, files.manifest),
    waveform: plan?.waveform ?? null,
    checkpoint: files.checkpoint?.name ?? null,
  };
}

const describeStage = ({ name, shape, tolerance }: GoldenStage): Pick<OpenedStage, 'name' | 'goldenShape' | 'tolerance'> => ({
  name,
  goldenShape: shape,
  tolerance,
});
