import { closest, isWithin, moduleOf } from '../onnx/nodes';
import type { GraphInfo, NodeInfo } from '../onnx/model';
import type { GoldenStage } from './files/bundle';
import type { Tensor } from './tensor';

/** How the graph value of a stage was found. */
export type FoundBy =
  /** Named by the user, in the bundle, or in the model's manifest. */
  | 'choice'
  /** It has the name of the stage, apart from punctuation and case. */
  | 'name'
  /** It is computed by the module with the stage's name. */
  | 'scope'
  /** The stage has exactly the golden values of another stage, as after dropout or identity. */
  | 'same'
  /** Both the value and the stage are an output. */
  | 'output'
  /** It has the golden values. */
  | 'values';

/** A graph value for a stage. */
export interface Found {
  readonly value: string;
  readonly by: FoundBy;
  /** All values that the rest of the graph reads from the module, including `value`; in graph order. */
  readonly candidates: readonly string[];
}

/** Where to look for the values of stages. */
export interface Places {
  readonly info: GraphInfo;
  /** Position of every value in the order of computation. */
  readonly order: ReadonlyMap<string, number>;
  /** The stages in the model's manifest; null for a model that is not shipped. */
  readonly manifest: { readonly stages: readonly { readonly name: string; readonly value: string | null }[] } | null;
  /** Graph value by stage, as chosen by the user. */
  readonly chosen: ReadonlyMap<string, string>;
  /** Graph value by stage, as found by the structure of the graph. */
  readonly structure: ReadonlyMap<string, string>;
  /** Number of runs by module path; modules that run once may be left out. */
  readonly runs: ReadonlyMap<string, number>;
}

/**
 * Finds the value of a stage by names. The first match wins: the user's choice, the bundle's `value`, the model's manifest,
 * the structure of the graph, the value with the stage's name, the last value of the module with the stage's name, the only
 * value with the same letters and digits.
 */
export function findByName(golden: GoldenStage, { info, order, manifest, chosen, structure, runs }: Places): Found | null {
  const { name } = golden;
  const fromManifest = manifest?.stages.find((stage) => stage.name === name)?.value;
  for (const candidate of [chosen.get(name), golden.value, fromManifest, structure.get(name)]) {
    if (candidate === undefined || candidate === null) continue;
    if (order.has(candidate)) return only(candidate, 'choice');
    // A value found by name must not replace the value that the bundle states.
    if (candidate === golden.value) return null;
  }
  const scoped = findByScope(golden, info, runs);
  if (order.has(name)) {
    if (!scoped || scoped.value === name || !isOfAnotherModule(name, name, info)) return only(name, 'name');
    // The newer exporter names values after operators: the value `linear` may belong to another module than `linear`. The
    // name of an output was chosen by the user, maybe for the stage: its values decide.
    const isOutput = info.outputs.some((output) => output.name === name) && canHaveShape(info.known.get(name)?.shape ?? null, golden.shape);
    return isOutput ? { value: name, by: 'name', candidates: [name, ...scoped.candidates] } : scoped;
  }
  if (scoped) return scoped;
  const letters = lettersOf(name);
  const alike = letters === '' ? [] : [...order.keys()].filter((candidate) => lettersOf(candidate) === letters);
  return alike.length === 1 && !isOfAnotherModule(name, alike[0]!, info) ? only(alike[0]!, 'name') : null;
}

/** Describes each stage whose stated value does not exist in the graph, with similar names. */
export function unknownValues(stages: readonly GoldenStage[], { nodes }: GraphInfo): string[] {
  const known = nodes.flatMap(({ outputs }) => outputs);
  return stages.flatMap(({ name, value }) =>
    value === null || known.includes(value)
      ? []
      : [`${name}: the bundle states the value ${value}, which no node of the graph outputs. The closest are ${closest(value, known).join(', ')}`],
  );
}

/** Number of runs of each module that stages are named after: `act` and `act#2` are two runs of `act`. */
export function runsOf(stages: readonly GoldenStage[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const { name } of stages) {
    const { path, run } = moduleOf(name);
    runs.set(path, Math.max(runs.get(path) ?? 1, run));
  }
  return runs;
}

/** True if no node of the graph belongs to the module of this name. */
const hasNoNode = (stage: string, info: GraphInfo): boolean => nodesOfModule(stage, info).length === 0;

/** Nodes of the module with the stage's name and of its submodules. */
export function nodesOfModule(stage: string, { nodes }: GraphInfo): readonly NodeInfo[] {
  const { path, run } = moduleOf(stage);
  const within = (wanted: string): NodeInfo[] =>
    nodes.filter(({ scope, op }) => op !== 'Constant' && scope !== null && isWithin(wanted, scope));
  // The older exporter numbers the later runs of a module: act, act_1.
  const numbered = run > 1 ? within(`${path}_${run - 1}`) : [];
  // If there are numbers, but not this one, the graph runs the module less often than the golden network.
  const isMissing = run > 1 && numbered.length === 0 && within(`${path}_1`).length > 0;
  return numbered.length > 0 || isMissing ? numbered : within(path);
}

/** Values of a module that other nodes read or that are outputs, in graph order; if there are none, its last value. */
function valuesOfModule(stage: string, info: GraphInfo): string[] {
  const inside = nodesOfModule(stage, info);
  const own = new Set(inside);
  const read = new Set(info.outputs.map(({ name }) => name));
  for (const node of info.nodes) if (!own.has(node)) for (const name of [...node.inputs, ...node.captured]) read.add(name);
  const made = inside.flatMap((node) => node.outputs);
  const leaving = made.filter((name) => read.has(name));
  return leaving.length > 0 ? leaving : made.slice(-1);
}

function findByScope(golden: GoldenStage, info: GraphInfo, runs: ReadonlyMap<string, number>): Found | null {
  // A result other than the first is found by its values.
  if (/@(?!0$)[\w.]+$/.test(golden.name)) return null;
  const all = valuesOfRun(golden.name, info, runs);
  const fitting = all.filter((value) => canHaveShape(info.known.get(value)?.shape ?? null, golden.shape));
  const candidates = fitting.length > 0 ? fitting : all;
  const value = candidates.at(-1);
  return value === undefined ? null : { value, by: 'scope', candidates };
}

/** Values of one run of a module. The newer exporter uses the same name for all runs, one after another. */
function valuesOfRun(stage: string, info: GraphInfo, runs: ReadonlyMap<string, number>): string[] {
  const all = valuesOfModule(stage, info);
  const { path, run } = moduleOf(stage);
  const numRuns = runs.get(path) ?? 1;
  const isNumbered = info.nodes.some(({ scope }) => scope && isWithin(`${path}_1`, scope));
  if (numRuns === 1 || isNumbered) return all;
  // Runs with different numbers of values cannot be separated.
  if (all.length % numRuns !== 0) return [];
  const length = all.length / numRuns;
  return all.slice((run - 1) * length, run * length);
}

/** True if a declared shape allows these sizes. Null, for a value without a declared shape, allows any. */
export function canHaveShape(declared: readonly (number | string)[] | null, shape: readonly number[]): boolean {
  if (!declared) return true;
  return declared.length === shape.length && declared.every((size, axis) => typeof size === 'string' || size === shape[axis]);
}

/**
 * True if the value is computed by another module than the one with the stage's name. For outputs, modules inferred from
 * node names count too: the user chose the name of an output, so it does not identify a module.
 */
function isOfAnotherModule(stage: string, value: string, { nodes, outputs: ends }: GraphInfo): boolean {
  const scope = nodes.find(({ outputs }) => outputs.includes(value))?.scope;
  const isEnd = ends.some(({ name }) => name === value);
  return scope !== null && scope !== undefined && (scope.isCertain || isEnd) && !isWithin(moduleOf(stage).path, scope);
}

/** Operators whose first output is the sequence and whose other outputs are states. */
const RECURRENT = new Set(['LSTM', 'GRU', 'RNN']);
/** Operators that only move values. */
const MOVING = new Set(['Transpose', 'Squeeze', 'Unsqueeze', 'Reshape', 'Identity', 'Slice', 'Gather', 'Split', 'Concat']);

/**
 * True if a module's value is an intermediate whose shape may differ from the result: a padded input, or the last state of
 * a recurrent layer whose sequence is not used.
 */
export function isPart(value: string, { nodes }: GraphInfo): boolean {
  let name = value;
  for (const node of nodes.toReversed()) {
    if (!node.outputs.includes(name)) continue;
    if (node.op === 'Pad') return true;
    if (RECURRENT.has(node.op)) return name !== node.firstOutput;
    if (!MOVING.has(node.op)) return false;
    name = node.inputs[0] ?? '';
  }
  return false;
}

const only = (value: string, by: FoundBy): Found => ({ value, by, candidates: [value] });

/** Reduces a name to letters and digits: `/layer1/Relu` and `layer1.Relu` are equal. */
const lettersOf = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** True if two golden tensors are exactly equal. Constant tensors never are, because their values identify no stage. */
export function isSame(one: Tensor, other: Tensor): boolean {
  const [first] = one.data;
  return (
    one.shape.length === other.shape.length &&
    one.shape.every((size, axis) => size === other.shape[axis]) &&
    one.data.every((value, index) => Object.is(value, other.data[index])) &&
    one.data.some((value) => value !== first)
  );
}

/**
 * True if the module after `stage` computes the operator of `stage`, because the newer exporter merged the two. What
 * remains of `stage` in the graph, such as the padding before a convolution, is not its result.
 *
 * @param own value found by name for `stage`
 * @param following value of the next module
 */
export function isComputedIn(stage: string, own: string, following: string, { nodes }: GraphInfo): boolean {
  const isOperator = (value: string): boolean =>
    nodes.some(({ op, inputs, outputs }) => outputs.includes(value) && MERGING.has(op) && inputs[1] === `${moduleOf(stage).path}.weight`);
  return own !== following && isOperator(following) && !isOperator(own);
}

/** Operators that an exporter can merge with the next layer. */
const MERGING = new Set(['Conv', 'ConvTranspose', 'Gemm']);

/**
 * True if the exporter merged the modules `stage` and `next`, such as a convolution and its batch norm. Then `value`, an
 * output of one of them, is computed with merged weights.
 */
export function isMerged(stage: string, next: string, value: string, info: GraphInfo): boolean {
  const producer = info.nodes.find(({ outputs }) => outputs.includes(value));
  const weight = producer?.inputs[1];
  if (!producer || !MERGING.has(producer.op) || weight === undefined) return false;
  const [isHere, isThere] = [!hasNoNode(stage, info), !hasNoNode(next, info)];
  // The older exporter keeps the node in the first module and renames its weights; the newer one does the opposite.
  return isHere ? !isThere && weight !== `${stage}.weight` : isThere && weight === `${stage}.weight`;
}
