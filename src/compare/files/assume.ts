import type { GoldenBundle, GoldenTensor } from '../bundle';
import type { Tolerance } from '../compare';
import { typeOf, type NamedTensor, type Tensor } from '../tensor';
import { broken } from './broken';
import { DEFAULT_COSINE, firstTwice } from './manifest';

/** A tensor that a known model takes or gives. */
export interface KnownTensor {
  readonly name: string;
  readonly axes: readonly string[];
}

/** A model whose stages are known by name: goldens without a manifest are recognized by them. */
export interface KnownModel {
  readonly id: string;
  readonly inputs: readonly KnownTensor[];
  /** In the order in which the model computes them. */
  readonly stages: readonly KnownTensor[];
}

/** Without a manifest: no absolute bound, because the scale of the values is not known. The relative one follows from their type. */
export const DEFAULT_TOLERANCE: Tolerance = { maxAbs: Infinity, cosine: DEFAULT_COSINE };

/** `inputs/waveform`, `stages.lstm`: the part before says what the tensor is. */
const ROLE = /^(inputs|stages)[/.](.+)$/s;

interface Placed {
  readonly name: string;
  readonly isInput: boolean;
  readonly tensor: Tensor;
}

/**
 * Makes a bundle of tensors that only have names.
 *
 * - A name in `graphInputs`, a name of the form `inputs/NAME` or `inputs.NAME`, and the name of a known model's input
 *   are inputs; all others are stages, also `stages/NAME` and `stages.NAME`.
 * - The model is the known one that has most of the names, if it has more than half of them and a stage; else none.
 * - Axes are the known model's where their number fits, else `axis0`, `axis1` …
 *
 * What was assumed is in the notes.
 *
 * @throws VoxlaneError `format` where there is no stage, or a name twice
 */
export function assumeBundle(
  tensors: ReadonlyMap<string, Tensor>,
  known: readonly KnownModel[],
  graphInputs: readonly string[],
): GoldenBundle {
  const names = Array.from(tensors.keys(), (key) => (graphInputs.includes(key) ? key : nameIn(key)));
  const { model, numCovered } = recognise(names, known);
  const placed = Array.from(tensors, ([key, tensor]) => place(key, tensor, model, graphInputs));
  const inputs = placed.filter(({ isInput }) => isInput);
  const stages = inOrder(placed.filter(({ isInput }) => !isInput), model);
  for (const role of [inputs, stages]) {
    const twice = firstTwice(role.map(({ name }) => name));
    if (twice !== undefined) throw broken(`The goldens have ${twice} twice`, 'a name for each tensor');
  }
  const notes = [
    model
      ? `No manifest: taken as goldens of ${model.id}, which knows ${numCovered} of ${names.length} names`
      : 'No manifest, and the names are of no known model: axes have no names, so none are aligned',
    `Tolerance assumed: cosine ${DEFAULT_TOLERANCE.cosine}, and a relative error by the type of the values`,
    ...(stages.length === 0 ? ['No stage is among them: there are inputs, and nothing to compare with'] : []),
    inputs.length > 0
      ? `Taken as inputs: ${inputs.map(({ name }) => name).join(', ')}`
      : 'None of the names is an input: one is called as the graph calls it, or inputs/NAME',
  ];
  return {
    model: model?.id ?? '',
    source: {},
    inputs: inputs.map((tensor) => withAxes(tensor, model?.inputs, notes)),
    stages: stages.map((tensor) => ({
      ...withAxes(tensor, model?.stages, notes),
      tolerance: DEFAULT_TOLERANCE,
      value: null,
    })),
    notes,
    graph: null,
  };
}

const nameIn = (key: string): string => ROLE.exec(key)?.[2] ?? key;

/** The known model that has most of `names`, if it has more than half of them. */
function recognise(
  names: readonly string[],
  known: readonly KnownModel[],
): { model: KnownModel | null; numCovered: number } {
  const among = (tensors: readonly KnownTensor[]): string[] =>
    names.filter((name) => tensors.some((tensor) => tensor.name === name));
  let best: { model: KnownModel | null; numCovered: number } = { model: null, numCovered: names.length / 2 };
  for (const model of known) {
    const numCovered = among([...model.inputs, ...model.stages]).length;
    if (numCovered > best.numCovered && among(model.stages).length > 0) best = { model, numCovered };
  }
  return best;
}

function place(key: string, tensor: Tensor, model: KnownModel | null, graphInputs: readonly string[]): Placed {
  if (graphInputs.includes(key)) return { name: key, isInput: true, tensor };
  const name = nameIn(key);
  const role = ROLE.exec(key)?.[1];
  const isNamedSo = graphInputs.includes(name) || (model?.inputs ?? []).some((input) => input.name === name);
  return { name, isInput: role === undefined ? isNamedSo : role === 'inputs', tensor };
}

/** In the model's order; those that it does not know after them, as they came. */
function inOrder(stages: readonly Placed[], model: KnownModel | null): Placed[] {
  const order = model?.stages.map(({ name }) => name) ?? [];
  const rank = ({ name }: Placed): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return stages.toSorted((a, b) => rank(a) - rank(b));
}

function withAxes(
  { name, tensor }: Placed,
  known: readonly KnownTensor[] | undefined,
  notes: string[],
): GoldenTensor {
  const { shape, data } = tensor;
  const axes = known?.find((candidate) => candidate.name === name)?.axes;
  if (axes?.length === shape.length) return { name, axes, shape, data, ...typeOf(tensor) } satisfies NamedTensor;
  if (axes) notes.push(`${name} has ${shape.length} axes instead of ${axes.join(', ')}: they have no names`);
  return { name, axes: shape.map((_, axis) => `axis${axis}`), shape, data, ...typeOf(tensor) };
}
