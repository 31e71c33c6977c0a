import type { ModelProto } from '../onnx/onnx_pb';
import { extract, withoutShapes, type Cut, type KnownTypes } from '../onnx/cut';
import { CONTRADICTION } from '../ort/reason';
import { encodeOnnx, graphInfo, type GraphInfo } from '../onnx/model';
import { replaceNodes, type NodeChanges } from '../onnx/replaceNodes';
import { replaceWeights } from '../onnx/weights';
import type { Session, SessionTensor } from '../ort/session';
import { VoxlaneError } from '../util/errors';
import { namingOperators } from './nameOperators';
import type { Tensor } from './tensor';

/** A value of the graph as a backend gave it, or as it is given to one. */
export type GraphTensor = Tensor & { readonly dtype?: string };

export interface RunnerOptions {
  /** Makes a session on the backend. */
  readonly open: (graph: Uint8Array) => Promise<Session>;
}

/** What computes the values of stages: a {@link GraphRunner}, or kernels of our own in the place of a runtime. */
export type ValueRunner = Pick<GraphRunner, 'info' | 'inputsOf' | 'values' | 'release'>;

/** A session of a part of the graph. */
interface OpenPart extends Cut {
  readonly session: Session;
}

/**
 * Runs any part of a graph on one backend: from any values to any values.
 *
 * For every question the part that answers it is cut out and made a session of its own, so what is fed stands in for
 * whatever the graph would have computed. The last session is kept, because the same question often comes again.
 */
export class GraphRunner {
  readonly info: GraphInfo;
  /** Whether the file declares shapes that contradict the operators, as far as parts of it were opened. */
  hasWrongShapes = false;
  private readonly model: ModelProto;
  /** Types of values that were seen or are declared; a cut through the graph has to declare them. */
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

  /** The fed values, of `feeds`, that `outputs` depend on. */
  inputsOf(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): readonly string[] {
    return this.cut(feeds, outputs).inputs;
  }

  /**
   * Computes `outputs`.
   *
   * @param feeds by value name; more than is needed is fine
   * @param weights float32 weights that replace the graph's own, by name
   * @param nodes nodes that replace the graph's own
   * @throws VoxlaneError `options` where an input is missing, and what the backend throws
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
    // The runtime keeps values in an object, which has no room for some names, such as `__proto__`.
    const lost = outputs.find((name) => !results.has(name));
    if (lost !== undefined) throw notGiven(lost);
    // Other nodes may give another type.
    if (!nodes) for (const [name, { dtype }] of results) this.types.set(name, dtype);
    return results;
  }

  /** Frees the session that is kept. */
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
   * Opens a part of the graph. PyTorch's newer exporter may declare shapes that contradict the operators, such as the states of
   * an LSTM. Only shapes of the graph's inputs are kept then; the others follow from the operators.
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

  /** Types of the values that are known by now, for a cut that has to declare them. */
  get knownTypes(): KnownTypes {
    return new Map(Array.from(this.types, ([name, dtype]) => [name, { dtype }]));
  }

  private cut(feeds: ReadonlyMap<string, GraphTensor>, outputs: readonly string[]): Cut {
    // What is asked for is computed, also where it is among what could be fed.
    const inputs = [...feeds.keys()].filter((name) => !outputs.includes(name));
    return extract(this.model, { inputs, outputs, types: this.knownTypes });
  }
}

function missingInput(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The graph's input ${name} is not given`,
    expected: 'a value for every input of the graph',
    remedy: 'Add it to the golden bundle, or give it as a .npy file of that name',
  });
}

function notGiven(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'model-output',
    problem: `The runtime gave no value called ${name}`,
    expected: 'a name that is no key of every JavaScript object',
    remedy: 'Rename the value in the graph',
  });
}

/** Without declared shapes, the shapes that follow from the inputs of the graph are what an operator does not take. */
function refuseShapes(error: unknown): never {
  if (!(error instanceof VoxlaneError) || !error.problem.includes(CONTRADICTION)) throw error;
  const problem = error.problem.replace(CONTRADICTION, 'an operator of the graph does not take the shapes that it is given');
  throw new VoxlaneError({ ...error.toParts(), problem });
}
