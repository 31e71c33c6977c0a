import { isWithin, moduleOf } from '../onnx/scopes';
import type { GraphInfo, NodeInfo } from '../onnx/model';
import type { GoldenStage } from './bundle';
import type { Tensor } from './tensor';

/** How the graph's value of a stage was found. */
export type FoundBy =
  /** Somebody named it: by hand, in the bundle, or in the model's manifest. */
  | 'choice'
  /** It has the stage's name, but for signs and upper case. */
  | 'name'
  /** The module of the stage's name gives it. */
  | 'scope'
  /** The stage's golden values are, to the bit, those of another stage: dropout, identity. */
  | 'same'
  /** It is the graph's output, and so is the stage. */
  | 'output'
  /** It has the golden values. */
  | 'values';

/** A graph value for a stage. */
export interface Found {
  readonly value: string;
  readonly by: FoundBy;
  /** What else the module gives to the rest of the graph, in the order of the graph, `value` among it. */
  readonly candidates: readonly string[];
}

/** Where to look for the values of stages. */
export interface Places {
  readonly info: GraphInfo;
  /** Position of every value in the order of computation. */
  readonly order: ReadonlyMap<string, number>;
  /** What the model's manifest says of its stages; null for a foreign model. */
  readonly manifest: { readonly stages: readonly { readonly name: string; readonly value: string | null }[] } | null;
  /** Graph value by stage, where somebody named it. */
  readonly chosen: ReadonlyMap<string, string>;
  /** The same where the graph's structure tells. */
  readonly structure: ReadonlyMap<string, string>;
  /** How often each module runs, by its path; those that run once may be left out. */
  readonly runs: ReadonlyMap<string, number>;
}

/**
 * The graph's value of a stage by what is written in the files: the one chosen by hand, the one its bundle names, the one
 * the model's manifest names, the one that the graph's structure tells, the value of its own name, the last value that
 * the module of its name gives, the value of the same letters and digits.
 */
export function findByName(golden: GoldenStage, { info, order, manifest, chosen, structure, runs }: Places): Found | null {
  const { name } = golden;
  const fromManifest = manifest?.stages.find((stage) => stage.name === name)?.value;
  for (const candidate of [chosen.get(name), golden.value, fromManifest, structure.get(name)]) {
    if (candidate !== undefined && candidate !== null && order.has(candidate)) return only(candidate, 'choice');
  }
  const scoped = findByScope(golden, info, runs);
  // The newer exporter names values after operators: `linear` can be of another module than the one called so.
  // Outputs bear the names that the user gave them.
  const isNamed = info.outputs.some((output) => output.name === name) || !(scoped && isOfAnotherModule(name, name, info));
  if (order.has(name) && isNamed) return only(name, 'name');
  if (scoped) return scoped;
  const alike = [...order.keys()].filter((candidate) => lettersOf(candidate) === lettersOf(name));
  return alike.length === 1 && !isOfAnotherModule(name, alike[0]!, info) ? only(alike[0]!, 'name') : null;
}

/** How often the modules that the stages are named after run: `act` and `act#2` are two runs of `act`. */
export function runsOf(stages: readonly GoldenStage[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const { name } of stages) {
    const { path, run } = moduleOf(name);
    runs.set(path, Math.max(runs.get(path) ?? 1, run));
  }
  return runs;
}

/** Whether no node of the graph belongs to the module of this name. */
export const hasNoNode = (stage: string, info: GraphInfo): boolean => nodesOfModule(stage, info).length === 0;

/** Nodes that the module of the stage's name, and those within it, were exported to. */
export function nodesOfModule(stage: string, { nodes }: GraphInfo): readonly NodeInfo[] {
  const { path, run } = moduleOf(stage);
  const within = (wanted: string): NodeInfo[] =>
    nodes.filter(({ scope, op }) => op !== 'Constant' && scope !== null && isWithin(wanted, scope));
  // The older exporter numbers the later runs of a module: act, act_1.
  const numbered = run > 1 ? within(`${path}_${run - 1}`) : [];
  return numbered.length > 0 ? numbered : within(path);
}

/** What a module gives to the rest of the graph, in the order of the graph: tensors that others read, and outputs. */
export function valuesOfModule(stage: string, info: GraphInfo): string[] {
  const inside = nodesOfModule(stage, info);
  const own = new Set(inside);
  const read = new Set(info.outputs.map(({ name }) => name));
  for (const node of info.nodes) if (!own.has(node)) for (const name of [...node.inputs, ...node.captured]) read.add(name);
  const made = inside.flatMap((node) => node.outputs);
  const leaving = made.filter((name) => read.has(name));
  return leaving.length > 0 ? leaving : made.slice(-1);
}

function findByScope(golden: GoldenStage, info: GraphInfo, runs: ReadonlyMap<string, number>): Found | null {
  // Which of several results is meant, the values tell.
  if (/@(?!0$)[\w.]+$/.test(golden.name)) return null;
  const all = valuesOfRun(golden.name, info, runs);
  const fitting = all.filter((value) => canHaveShape(info.known.get(value)?.shape ?? null, golden.shape));
  const candidates = fitting.length > 0 ? fitting : all;
  const value = candidates.at(-1);
  return value === undefined ? null : { value, by: 'scope', candidates };
}

/** Of what a module gives, the part of one run. The newer exporter has all runs under one name, one after another. */
function valuesOfRun(stage: string, info: GraphInfo, runs: ReadonlyMap<string, number>): string[] {
  const all = valuesOfModule(stage, info);
  const { path, run } = moduleOf(stage);
  const numRuns = runs.get(path) ?? 1;
  const isNumbered = info.nodes.some(({ scope }) => scope && isWithin(`${path}_1`, scope));
  if (numRuns === 1 || isNumbered) return all;
  // If the parts are not equal, nothing says where one ends.
  if (all.length % numRuns !== 0) return [];
  const length = all.length / numRuns;
  return all.slice((run - 1) * length, run * length);
}

/** Whether a value with the declared shape, null if there is none, can have these sizes. */
export function canHaveShape(declared: readonly (number | string)[] | null, shape: readonly number[]): boolean {
  if (!declared) return true;
  return declared.length === shape.length && declared.every((size, axis) => typeof size === 'string' || size === shape[axis]);
}

function isOfAnotherModule(stage: string, value: string, { nodes }: GraphInfo): boolean {
  const scope = nodes.find(({ outputs }) => outputs.includes(value))?.scope;
  return scope !== null && scope !== undefined && scope.isCertain && !isWithin(moduleOf(stage).path, scope);
}

const only = (value: string, by: FoundBy): Found => ({ value, by, candidates: [value] });

/** `/layer1/Relu` and `layer1.Relu` are one name to people. */
const lettersOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Whether two golden tensors are the same to the bit, and hold more than one number, which any tensor could. */
export function isSame(one: Tensor, other: Tensor): boolean {
  const [first] = one.data;
  return (
    one.shape.length === other.shape.length &&
    one.shape.every((size, axis) => size === other.shape[axis]) &&
    one.data.every((value, index) => Object.is(value, other.data[index])) &&
    one.data.some((value) => value !== first)
  );
}

/** Operators whose weights an exporter can merge with those of the layer after them. */
const MERGING = new Set(['Conv', 'ConvTranspose', 'Gemm']);

/**
 * Whether the exporter has merged the module `stage` with the module of `next`, as it folds batch norm into a convolution:
 * `value`, which one of them gives, is then computed with weights that are not those of that module alone.
 */
export function isMerged(stage: string, next: string, value: string, info: GraphInfo): boolean {
  const producer = info.nodes.find(({ outputs }) => outputs.includes(value));
  const weight = producer?.inputs[1];
  if (!producer || !MERGING.has(producer.op) || weight === undefined) return false;
  const [isHere, isThere] = [!hasNoNode(stage, info), !hasNoNode(next, info)];
  // The older exporter leaves the node with the first module and renames its weights, the newer one does the opposite.
  return isHere ? !isThere && weight !== `${stage}.weight` : isThere && weight === `${stage}.weight`;
}
