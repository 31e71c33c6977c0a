import type { FrameClock } from '../segmentation/geometry';
import { tensorlessKind, type GraphInfo } from '../onnx/model';
import type { EmbeddingManifest, FbankSpec, SegmentationManifest } from '../store/manifest';
import { VoxlaneError } from '../util/errors';
import { align } from './align';
import type { GoldenBundle, GoldenStage } from './files/bundle';
import { findByName, isComputedIn, isMerged, isSame, runsOf, type Found, type FoundBy, type Places } from './findValue';
import type { GraphTensor } from './graphRunner';
import type { NamedTensor, Tensor } from './tensor';

/** Tensors of one stage on one backend. */
export interface StageTensors {
  readonly planned: PlannedStage;
  /** Output for the stage's computed input. */
  readonly actual: GraphTensor;
  /** In the order of our axes if the bundle names them. */
  readonly golden: Tensor;
  /** Output for the golden outputs of the preceding stages; null if there is nothing to inject. */
  readonly forced: Tensor | null;
  /**
   * Values that it was computed from: the graph's inputs and the preceding golden outputs, as far as they can be injected.
   */
  readonly feeds: ReadonlyMap<string, GraphTensor>;
  readonly notes: readonly string[];
}

/** A stage with its graph value. */
export interface PlannedStage {
  readonly golden: GoldenStage;
  /** How the value was found. */
  readonly foundBy: FoundBy;
  /** Values that match this stage by name, in graph order. */
  readonly candidates: readonly string[];
  /** Graph value; for the filterbank, the graph input that receives its features. */
  readonly value: string;
  /** Axes of the graph value. */
  readonly axes: readonly string[];
  /** True if our own filterbank computes it before the graph. */
  readonly isFeatures: boolean;
  /** Center of each frame in seconds; null if frames or their rate are unknown. */
  readonly clock: FrameClock | null;
  /** Meaning of each class of a known model. */
  readonly classLabels?: readonly string[];
}

/** How a bundle is run on a graph. */
export interface Plan {
  /** In the order in which the graph computes them. */
  readonly stages: readonly PlannedStage[];
  /** Stages without a known graph value, in bundle order. */
  readonly unmapped: readonly GoldenStage[];
  /** The stage that the exporter merged a stage with, by name of a stage in `unmapped`. */
  readonly merged: ReadonlyMap<string, string>;
  /** Names of all stages, in bundle order. */
  readonly bundleOrder: readonly string[];
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
  /** Stages that are left out because their value is not a numeric tensor, with the kind of the value. */
  readonly skipped: readonly { readonly golden: GoldenStage; readonly kind: string }[];
  /** Values of the graph's inputs; without the features if our filterbank computes them. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** The filterbank before the graph; null if the bundle feeds the graph directly. */
  readonly features: {
    readonly input: string;
    /** Audio, axes (batch, channel, sample). */
    readonly waveform: Tensor;
    readonly facts: FbankSpec;
    readonly sampleRate: number;
  } | null;
  /** The input recording, for playback and frame times. */
  readonly waveform: { readonly samples: Float32Array; readonly sampleRate: number } | null;
}

/** A manifest of a bundled model. */
export type AnyManifest = SegmentationManifest | EmbeddingManifest;

/** Name of the stage that our own filterbank computes. */
const FEATURES = 'fbank';
const SAMPLE_AXIS = 'sample';
const FRAME_AXIS = 'frame';
const CLASS_AXIS = 'class';

/**
 * Finds the value of every stage by names, sorts the stages into graph order, and pairs the inputs. See {@link findByName}
 * for the rules for one stage. A stage without its own value gets the value of an earlier stage with the same golden
 * values, or of the module that it was merged with. The last stage may have any name if it is the only output.
 *
 * @param manifest manifest of the bundle's bundled model; null for another model
 * @param chosen graph value by stage, as chosen by the user
 * @param structure graph value by stage, as found by the graph's structure
 * @throws VoxlaneError `options` if an input of the graph is missing
 */
export function makePlan(
  bundle: GoldenBundle,
  info: GraphInfo,
  manifest: AnyManifest | null,
  chosen: ReadonlyMap<string, string> = new Map(),
  structure: ReadonlyMap<string, string> = new Map(),
): Plan {
  const features = planFeatures(bundle, info, manifest);
  const given = bundle.inputs.map((input) =>
    // For a known model, the axis order is known.
    manifest && (input.name === manifest.input.name || info.inputs.length === 1)
      ? { ...input, ...laidOut(input, manifest.input.axes) }
      : input,
  );
  const feeds = pairInputs(given, info, features?.input ?? null);
  const order = valueOrder(info);
  const waveform = findWaveform(bundle, manifest);
  const found = findAll(bundle.stages, { info, order, manifest, chosen, structure, runs: runsOf(bundle.stages) }, features !== null);
  const stages: PlannedStage[] = [];
  const skipped: { golden: GoldenStage; kind: string }[] = [];
  const kindOf = (value: string): string | null => tensorlessKind(info, value);
  for (const golden of bundle.stages) {
    const isFeatures = features !== null && golden.name === FEATURES && !chosen.has(golden.name);
    const own = found.values.get(golden.name);
    if (isFeatures) stages.push({ golden, value: features.input, foundBy: 'choice', candidates: [], isFeatures, ...describe(golden, manifest, waveform) });
    else if (own && kindOf(own.value) !== null) skipped.push({ golden, kind: kindOf(own.value)! });
    else if (own) stages.push({ golden, value: own.value, foundBy: own.by, candidates: own.candidates, isFeatures, ...describe(golden, manifest, waveform) });
  }
  const names = new Set([...stages, ...skipped].map(({ golden: { name } }) => name));
  const unmapped = bundle.stages.filter(({ name }) => !names.has(name));
  const bundleOrder = bundle.stages.map(({ name }) => name);
  const outputs = info.outputs.map(({ name }) => name);
  return { stages: inGraphOrder(stages, order), unmapped, skipped, merged: found.merged, bundleOrder, outputs, feeds, features, waveform };
}

/** Sorts stages into the order in which the graph computes them. */
export function inGraphOrder(stages: readonly PlannedStage[], order: ReadonlyMap<string, number>): PlannedStage[] {
  const position = ({ isFeatures, value }: PlannedStage): number => (isFeatures ? -1 : order.get(value)!);
  return stages.toSorted((a, b) => position(a) - position(b));
}

/** Values by stage name, and the stages that were merged with a later one. */
function findAll(stages: readonly GoldenStage[], places: Places, hasFeatures: boolean): { values: Map<string, Found>; merged: Map<string, string> } {
  const { info } = places;
  const values = new Map<string, Found>();
  const merged = new Map<string, string>();
  for (const golden of stages) {
    const found = hasFeatures && golden.name === FEATURES ? null : findByName(golden, places);
    if (found) values.set(golden.name, found);
  }
  for (const [index, next] of stages.entries()) {
    const golden = stages[index - 1];
    if (!golden) continue;
    const [own, following] = [values.get(golden.name), values.get(next.name)];
    const isInNext = own !== undefined && following !== undefined && isComputedIn(golden.name, own.value, following.value, info);
    if (own && following && !isInNext) continue;
    const found = isInNext ? following : (own ?? following);
    if (found?.by !== 'scope') continue;
    if (golden.shape.join() !== next.shape.join() || !(isInNext || isMerged(golden.name, next.name, found.value, info))) continue;
    values.delete(golden.name);
    values.set(next.name, found);
    merged.set(golden.name, next.name);
  }
  const ends = outputsOf(stages, info);
  for (const { name, value } of stages) {
    const output = ends.get(name);
    const found = values.get(name);
    if (value !== null || output === undefined || found?.value === output) continue;
    if (!found) values.set(name, { value: output, by: 'output', candidates: [output] });
    // A module or another output may have the same name: the values decide.
    else if (found.by !== 'choice' && ends.size === info.outputs.length) values.set(name, { value: output, by: 'name', candidates: [...new Set([output, ...found.candidates])] });
  }
  // The last stage may have any name: it is the only output, unless another stage already is.
  const last = stages.at(-1);
  const output = onlyOne(info.outputs)?.name;
  const isTaken = [...values.values()].some(({ value }) => value === output);
  if (last?.value === null && !values.has(last.name) && output !== undefined && places.order.has(output) && !isTaken) {
    values.set(last.name, { value: output, by: 'output', candidates: [output] });
  }
  for (const [index, golden] of stages.entries()) {
    if (values.has(golden.name) || merged.has(golden.name)) continue;
    const same = stages.slice(0, index).findLast((other) => values.has(other.name) && isSame(other, golden));
    if (same) values.set(golden.name, { ...values.get(same.name)!, by: 'same' });
  }
  return { values, merged };
}

/** Names of the outputs of the whole model in golden_bundle.py: `output`, `output@1`, `output@mask`. */
const OUTPUT = /^output(?:@(.+))?$/;
/** The same names if a module is named `output`. */
const OWN_OUTPUT = /^\(output\)(?:@(.+))?$/;

/**
 * Output of the graph by stage, for stages that golden_bundle.py took from the whole model. If there are as many of them as
 * outputs, both have the same order. Else `output@1` is the output at this index, and `output@mask` the output with this
 * name.
 */
function outputsOf(stages: readonly GoldenStage[], { outputs, nodes }: GraphInfo): Map<string, string> {
  const pattern = stages.some(({ name }) => OWN_OUTPUT.test(name)) ? OWN_OUTPUT : OUTPUT;
  const own = stages.filter(({ name }) => pattern.test(name));
  const names = outputs.map(({ name }) => name);
  const outputOf = (stage: string, index: number): string | undefined => {
    if (own.length === names.length) return names[index];
    const item = pattern.exec(stage)?.[1] ?? '0';
    return /^\d+$/.test(item) ? names[Number(item)] : names.find((name) => name === item || item.endsWith(`.${name}`));
  };
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  return new Map(
    own.flatMap(({ name }, index) => {
      const output = outputOf(name, index);
      return output !== undefined && computed.has(output) ? [[name, output] as const] : [];
    }),
  );
}

function planFeatures(bundle: GoldenBundle, info: GraphInfo, manifest: AnyManifest | null): Plan['features'] {
  if (manifest?.task !== 'embedding') return null;
  const input = info.inputs.find(({ name }) => name === manifest.input.name) ?? onlyOne(info.inputs);
  if (!input || bundle.inputs.some(({ name }) => name === input.name)) return null;
  const recording = bundle.inputs.find(({ axes }) => axes.includes(SAMPLE_AXIS));
  if (!recording) return null;
  const waveform = laidOut(recording, ['batch', 'channel', SAMPLE_AXIS]);
  return { input: input.name, waveform, facts: manifest.fbank, sampleRate: manifest.sampleRate };
}

/**
 * Assigns a tensor to each of the graph's inputs. Inputs with an initializer are optional.
 *
 * @param computed an input that is computed and therefore not assigned
 * @throws VoxlaneError `options` for a missing input
 */
export function pairInputs(given: readonly NamedTensor[], info: GraphInfo, computed: string | null): Map<string, Tensor> {
  const wanted = info.inputs.filter(({ name }) => name !== computed);
  const defaults = new Set(info.defaults.map(({ name }) => name));
  const others = given.filter(({ name }) => !defaults.has(name));
  const feeds = new Map<string, Tensor>(given.filter(({ name }) => defaults.has(name)).map((tensor) => [tensor.name, tensor]));
  for (const { name } of wanted) {
    // If there is only one on either side, its name does not matter.
    const tensor = given.find((input) => input.name === name) ?? (wanted.length === 1 ? onlyOne(others) : undefined);
    if (!tensor) {
      throw new VoxlaneError({
        code: 'options',
        problem: `The graph's input ${name} is not among the golden inputs, ${namesOf(given)}`,
        expected: `an input for each of ${namesOf(wanted)}`,
        remedy: 'Name the inputs of the bundle as the graph does',
      });
    }
    feeds.set(name, tensor);
  }
  return feeds;
}

/**
 * Describes the golden inputs that the graph of a model that is not shipped does not have; clauses without a period, for the user.
 */
export function unusedInputs({ inputs }: GoldenBundle, info: GraphInfo): string[] {
  const known = new Set([...info.inputs, ...info.defaults].map(({ name }) => name));
  const others = inputs.filter(({ name }) => !known.has(name));
  const isTaken = info.inputs.length === 1 && !inputs.some(({ name }) => name === info.inputs[0]!.name);
  return isTaken ? [] : others.map(({ name }) => `${name} is not used: the graph has no such input`);
}

/** Lays out an input along these axes if its axes have the same names; missing axes get size 1. */
function laidOut(input: NamedTensor, axes: readonly string[]): Tensor {
  return align(input, axes, axes.map(() => 1)).tensor;
}

/** Position of every value in the order of computation. */
export function valueOrder({ nodes }: GraphInfo): Map<string, number> {
  const order = new Map<string, number>();
  nodes.forEach(({ outputs }, index) => {
    for (const output of outputs) if (output !== '') order.set(output, index);
  });
  return order;
}

function describe(
  golden: GoldenStage,
  manifest: AnyManifest | null,
  waveform: Plan['waveform'],
): Pick<PlannedStage, 'axes' | 'clock' | 'classLabels'> {
  const known = manifest?.stages.find(({ name }) => name === golden.name);
  // Axes of the manifest: the golden tensor is aligned to them if it has the same axis names.
  const axes = known?.axes ?? golden.axes;
  const labels = known && axes.includes(CLASS_AXIS) ? powersetLabels(manifest) : null;
  if (manifest && known?.frames) return { axes, clock: { ...known.frames, sampleRate: manifest.sampleRate }, ...(labels && { classLabels: labels }) };
  const numFrames = golden.shape[golden.axes.indexOf(FRAME_AXIS)];
  if (!waveform || numFrames === undefined) return { axes, clock: null };
  // For other models, assume that the frames cover the recording evenly.
  const stepSamples = waveform.samples.length / numFrames;
  return { axes, clock: { centerSamples: stepSamples / 2, stepSamples, sampleRate: waveform.sampleRate } };
}

/** The local speakers of each powerset class, counted from 1. */
function powersetLabels(manifest: AnyManifest | null): string[] | null {
  if (manifest?.task !== 'segmentation') return null;
  return manifest.powerset.mapping.map((speakers) => {
    const active = speakers.flatMap((isActive, speaker) => (isActive ? [speaker + 1] : []));
    if (active.length === 0) return 'no speaker';
    return active.length === 1 ? `speaker ${active[0]}` : `speakers ${active.join(', ')}`;
  });
}

function findWaveform({ inputs, source }: GoldenBundle, manifest: AnyManifest | null): Plan['waveform'] {
  const input = inputs.find(({ axes }) => axes.includes(SAMPLE_AXIS));
  const sampleRate = manifest?.sampleRate ?? source.sample_rate;
  if (!input || typeof sampleRate !== 'number' || !(sampleRate > 0)) return null;
  const numSamples = input.shape[input.axes.indexOf(SAMPLE_AXIS)] ?? 0;
  const order = [...input.axes.filter((axis) => axis !== SAMPLE_AXIS), SAMPLE_AXIS];
  return { samples: align(input, order, input.shape).tensor.data.slice(0, numSamples), sampleRate };
}

function onlyOne<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

const namesOf = (items: readonly { readonly name: string }[]): string =>
  items.map(({ name }) => name).join(', ') || 'none at all';

/**
 * The error if there is nothing to compare with: no bundle, one without stages, or tensors that were treated as a
 * checkpoint.
 */
export function noGoldens(bundle: GoldenBundle | null, checkpoint: string | null, { inputs }: GraphInfo): VoxlaneError {
  const refused = (problem: string, remedy: string): VoxlaneError => new VoxlaneError({ code: 'options', problem, remedy });
  if (bundle) return refused('The golden bundle has no stages', 'Add golden outputs to it');
  if (checkpoint === null) return refused('There are no golden outputs to compare with', 'Open a golden bundle, or bisect');
  return refused(
    `${checkpoint} was treated as a checkpoint: none of its tensors has the name of an input or value of the graph`,
    `Name its tensors after the graph's inputs (${namesOf(inputs)}) and values, or inputs/NAME and stages/NAME`,
  );
}

/**
 * The error if no stage can be compared: the graph and the goldens have no names in common, or the values are not tensors.
 */
export function noStage(bundle: GoldenBundle, info: GraphInfo, skipped: Plan['skipped'] = []): VoxlaneError {
  if (skipped.length > 0) {
    return new VoxlaneError({
      code: 'options',
      problem: `No stage can be compared. ${skipped.map(({ golden: { name }, kind }) => `The value of ${name} is ${kind}`).join(', ')}`,
      expected: 'a stage whose value is a numeric tensor',
      remedy: 'Add such a stage to the bundle',
    });
  }
  const some = [...valueOrder(info).keys()].slice(0, 8).join(', ');
  return new VoxlaneError({
    code: 'options',
    problem: `None of the stages ${namesOf(bundle.stages)} is a value of this graph`,
    expected: `names of its values, such as ${some}`,
    remedy: 'Name each stage after its graph value, or write the value into its manifest entry',
  });
}
