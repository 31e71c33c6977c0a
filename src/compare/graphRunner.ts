import { type Cut, extract, type KnownTypes, withoutShapes } from '../onnx/cut';
import { bodyOf, inlineBranch, unrollLoop, withIterations } from '../onnx/inlineBranch';
import { encodeOnnx, graphInfo, type GraphInfo, graphOf, type NodeInfo } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { type NodeChanges, replaceNodes } from '../onnx/replaceNodes';
import { tensorBytes } from '../onnx/tensors';
import { replaceWeights } from '../onnx/weights';
import { CONTRADICTION } from '../ort/reason';
import type { Session, SessionTensor } from '../ort/session';
import { VoxlaneError } from '../util/errors';
import type { Tensor } from './tensor';

/** Maximum number of operators in a message. */
const MAX_NAMED = 5;
/** Codes of errors that are caused by the graph, not by the device. */
const CODES = new Set(['backend-failed', 'options']);

/**
 * Runs `work`, which runs `model`. If the graph causes an error and the message names none of its operators, adds the first
 * ones to the message.
 *
 * @throws errors of `work`
 */
export async function namingOperators<Result>({ graph }: ModelProto, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VoxlaneError) || !CODES.has(error.code)) throw error;
    const operators = [...new Set(graph?.node.map(({ opType }) => opType))];
    const isNamed = operators.some((operator) => new RegExp(`\\b${operator}\\b`).test(error.problem));
    if (isNamed || operators.length === 0) throw error;
    const { code, problem, expected, remedy } = error;
    const numMore = operators.length - MAX_NAMED;
    const list = `${operators.length === 1 ? 'operator' : 'operators'} ${operators.slice(0, MAX_NAMED).join(', ')}${numMore > 0 ? ` and ${numMore} more` : ''}`;
    throw new VoxlaneError(
      { code, problem: `${problem} (${list})`, ...(expected !== undefined && { expected }), ...(remedy !== undefined && { remedy }) },
      { cause: error.cause },
    );
  }
}

/** A value of the graph, computed by a backend or passed to one. */
export type GraphTensor = Tensor & { readonly dtype?: string };

interface RunnerOptions {
  /** Creates a session on the backend. */
  readonly open: (graph: Uint8Array) => Promise<Session>;
}

/** Computes the values of stages: a {@link GraphRunner}, or our own kernels. */
export type ValueRunner = Pick<GraphRunner, 'info' | 'inputsOf' | 'values' | 'release'>;

/** A session for a part of the graph. */
interface OpenPart extends Cut {
  readonly session: Session;
}

/**
 * Runs any part of a graph on one backend: from any values to any values.
 *
 * Each request extracts the required part of the graph into a separate session. Fed values therefore replace whatever the
 * graph would have computed. The last session is kept, because requests often repeat.
 */
export class GraphRunner {
  readonly info: GraphInfo;
  /** True if the file declares shapes that contradict the operators, in the parts opened so far. */
  hasWrongShapes = false;
  private readonly model: ModelProto;
  /** Types of values that were computed or declared; an extracted graph has to declare them. */
  private readonly types = new Map<string, string>();
  private last: (OpenPart & { readonly key: string }) | null = null;

  /** @throws VoxlaneError `model-invalid` */
  constructor(
    model: ModelProto,
    private readonly options: RunnerOptions,
  ) {
    this.info = graphInfo(model);
    this.model = model;
    for (const { name, dtype } of [...this.info.inputs, ...this.info.defaults]) this.types.set(name, dtype);
  }

  /** The values in `feeds` that `outputs` depend on. */
  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    return this.cut(feeds, outputs).inputs;
  }

  /**
   * Computes `outputs`.
   *
   * @param feeds by value name; may include more values than required
   * @param weights float32 weights that replace the graph's weights, by name
   * @param nodes nodes that replace the graph's nodes
   * @throws VoxlaneError `options` if an input is missing; errors of the backend
   */
  async values(
    feeds: ReadonlyMap<string, GraphTensor>,
    outputs: readonly string[],
    weights?: ReadonlyMap<string, Float32Array>,
    nodes?: NodeChanges,
  ): Promise<Map<string, SessionTensor>> {
    const { session, inputs, model } = await this.sessionFor(feeds, outputs, weights, nodes);
    const needed = inputs.map((name) => {
      const tensor = feeds.get(name);
      if (!tensor) throw missingInput(name);
      const { data, exact, shape } = tensor;
      return [name, { data, ...(exact && { exact }), shape, dtype: this.types.get(name) ?? tensor.dtype ?? 'float32' }] as const;
    });
    const results = await namingOperators(model, () => session.run(new Map(needed)));
    // The runtime keeps values in an object, which cannot hold some names, such as `__proto__`.
    const lost = outputs.find((name) => !results.has(name));
    if (lost !== undefined) throw notGiven(lost);
    // Other nodes may output another type.
    if (!nodes) for (const [name, { dtype }] of results) this.types.set(name, dtype);
    return results;
  }

  /** Releases the cached session. */
  async release(): Promise<void> {
    const { last } = this;
    this.last = null;
    await last?.session.release();
  }

  private async sessionFor(
    feeds: ReadonlyMap<string, GraphTensor>,
    outputs: readonly string[],
    weights: ReadonlyMap<string, Float32Array> | undefined,
    nodes: NodeChanges | undefined,
  ): Promise<OpenPart> {
    for (const [name, { dtype }] of feeds) if (dtype !== undefined) this.types.set(name, dtype);
    const key = weights || nodes ? null : JSON.stringify([[...feeds.keys()], outputs]);
    if (key !== null && this.last?.key === key) return this.last;
    // One at a time: each holds its weights on the backend's heap.
    await this.release();
    const { model, inputs } = this.cut(feeds, outputs);
    const weighted = weights ? replaceWeights(model, weights) : model;
    const whole = nodes ? replaceNodes(weighted, nodes) : weighted;
    const session = await namingOperators(model, () => this.openPart(whole));
    this.last = { key: key ?? '', session, inputs, model };
    return this.last;
  }

  /**
   * Opens a part of the graph. PyTorch's newer exporter may declare shapes that contradict the operators, such as the
   * states of an LSTM. Only the shapes of the graph's inputs are kept then; the others are inferred from the operators.
   */
  private async openPart(model: ModelProto): Promise<Session> {
    const inputs = new Set([...this.info.inputs, ...this.info.defaults].map(({ name }) => name));
    if (this.hasWrongShapes) return this.options.open(encodeOnnx(withoutShapes(model, inputs)));
    try {
      return await this.options.open(encodeOnnx(model));
    } catch (error) {
      if (!(error instanceof VoxlaneError) || !error.problem.includes(CONTRADICTION)) throw error;
      const session = await this.options.open(encodeOnnx(withoutShapes(model, inputs))).catch(refuseShapes);
      this.hasWrongShapes = true;
      return session;
    }
  }

  /** Types of the values that are known so far, to declare them in an extracted graph. */
  get knownTypes(): KnownTypes {
    return new Map(Array.from(this.types, ([name, dtype]) => [name, { dtype }]));
  }

  private cut(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Cut {
    // Requested outputs are computed even if they could be fed.
    const inputs = [...feeds.keys()].filter((name) => !outputs.includes(name));
    return extract(this.model, { inputs, outputs, types: this.knownTypes });
  }
}

function missingInput(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The graph's input ${name} is not given`,
    expected: 'a value for every input of the graph',
    remedy: 'Add it to the golden bundle, or pass it as a .npy file of that name',
  });
}

function notGiven(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-output',
    problem: `The runtime returned no value named ${name}`,
    expected: 'a name that is not a built-in property of JavaScript objects',
    remedy: 'Rename the value in the graph',
  });
}

/** Without declared shapes, the error means that an operator rejects the shapes inferred from the graph's inputs. */
function refuseShapes(error: unknown): never {
  if (!(error instanceof VoxlaneError) || !error.problem.includes(CONTRADICTION)) throw error;
  const problem = error.problem.replace(CONTRADICTION, 'an operator of the graph does not accept its input shapes');
  throw new VoxlaneError({ ...error.toParts(), problem });
}

/** A graph with inlined branches. */
interface OpenedBranches {
  readonly model: ModelProto;
  /** What was inlined, or why not; clauses without a period, for the user. */
  readonly notes: readonly string[];
}

/** More than any real network has; a graph with more nested branches is malicious. */
const MAX_BRANCHES = 200;

/** Loops with more iterations are not unrolled: a recurrent network over a recording has thousands. */
const MAX_ITERATIONS = 64;
/** Maximum number of nodes of an unrolled loop. */
const MAX_UNROLLED_NODES = 5000;

/** True if the outermost graph has an `If` or a `Loop`. */
export const hasBranches = (model: ModelProto): boolean => model.graph?.node.some(({ opType }) => opType === 'If' || opType === 'Loop') ?? false;

/**
 * Replaces each `If` by the branch that runs for the given inputs, and each `Loop` by its iterations, including nested
 * ones, so their values can be compared. Conditions and iteration counts are computed by running the preceding part of the
 * graph. If that fails, or the runtime rejects the changed graph, the node stays.
 *
 * @param feeds the graph's inputs
 * @param stages names of stages: a loop value with such a name gets a first axis for the iterations
 */
export async function openBranches(
  model: ModelProto,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
  stages: ReadonlySet<string> = new Set(),
): Promise<OpenedBranches> {
  const notes: string[] = [];
  const closed = new Set<string>();
  let current = model;
  for (let count = 0; count < MAX_BRANCHES; count++) {
    const next = graphInfo(current).nodes.find(({ op, name }) => (op === 'If' || op === 'Loop') && !closed.has(name));
    if (!next) break;
    try {
      const replaced = next.op === 'If' ? await withBranch(current, next, feeds, open) : await withIterationsOf(current, next, feeds, open, stages);
      // The runtime infers more shapes without the node, and may reject an inferred shape.
      await (await open(encodeOnnx(replaced.model))).release();
      current = replaced.model;
      notes.push(`For these inputs, ${next.name} (${next.op}) runs ${replaced.note}`);
    } catch (error) {
      if (!(error instanceof VoxlaneError)) throw error;
      closed.add(next.name);
      notes.push(`${next.name} (${next.op}) is not replaced: ${error.problem}`);
    }
  }
  return { model: current, notes };
}

/** The model after the replacement. */
interface Replaced {
  readonly model: ModelProto;
  /** What replaced the node; part of a sentence. */
  readonly note: string;
}

async function withBranch(model: ModelProto, { inputs, index }: NodeInfo, feeds: ReadonlyMap<string, GraphTensor>, open: RunnerOptions['open']): Promise<Replaced> {
  const branch = (await isTrue(model, inputs[0] ?? '', feeds, open)) ? 'then_branch' : 'else_branch';
  return { model: inlineBranch(model, index, branch), note: `its ${branch}, which replaces the node in the comparison` };
}

async function withIterationsOf(
  model: ModelProto,
  { index }: NodeInfo,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
  stages: ReadonlySet<string>,
): Promise<Replaced> {
  const body = bodyOf(graphOf(model).node[index]!);
  if (!body) throw refused('its body is not complete');
  const numIterations = await countIterations(withIterations(model, index), feeds, open);
  if (numIterations === 0) throw refused('it runs no iterations');
  if (numIterations > MAX_ITERATIONS) throw refused(`it runs ${numIterations} iterations, but at most ${MAX_ITERATIONS} can be compared one by one`);
  const numNodes = numIterations * body.node.length;
  if (numNodes > MAX_UNROLLED_NODES) throw refused(`its ${numIterations} iterations have ${numNodes} nodes, but at most ${MAX_UNROLLED_NODES} can be compared one by one`);
  const count = numIterations === 1 ? '1 iteration, which replaces the node in the comparison' : `${numIterations} iterations, which replace the node in the comparison`;
  return { model: unrollLoop(model, index, numIterations, stages), note: count };
}

async function countIterations(
  { model, value }: ReturnType<typeof withIterations>,
  feeds: ReadonlyMap<string, GraphTensor>,
  open: RunnerOptions['open'],
): Promise<number> {
  const runner = new GraphRunner(model, { open });
  try {
    return (await runner.values(feeds, [value])).get(value)!.data.length;
  } finally {
    await runner.release();
  }
}

const refused = (problem: string): VoxlaneError => new VoxlaneError({ code: 'options', problem });

async function isTrue(model: ModelProto, condition: string, feeds: ReadonlyMap<string, GraphTensor>, open: RunnerOptions['open']): Promise<boolean> {
  const given = feeds.get(condition);
  if (given) return given.data[0] !== 0;
  const constant = model.graph?.initializer.find(({ name }) => name === condition);
  if (constant) return tensorBytes(constant).some((byte) => byte !== 0);
  const runner = new GraphRunner(model, { open });
  try {
    return (await runner.values(feeds, [condition])).get(condition)!.data[0] !== 0;
  } finally {
    await runner.release();
  }
}
