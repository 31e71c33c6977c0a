import { encodeOnnx, valueNames, type GraphInfo, type NodeInfo } from '../onnx/model';
import { extract, isolateNode } from '../onnx/cut';
import type { ModelProto } from '../onnx/onnx_pb';
import type { SessionTensor } from '../ort/session';
import { VoxlaneError } from '../util/errors';
import { canSelfCheck } from './verdict';
import { writeBundle } from './files/write';
import type { GraphRunner, GraphTensor } from './graphRunner';
import { measure } from './measure';
import type { BisectReport, Measures, NodeReport } from './report';
import type { OnStep } from './stages';

/**
 * Maximum tolerated difference, relative to the greatest value of a tensor. Sums of thousands of float32 products differ by
 * about 1e-5 between orders; a wrong kernel differs by at least 1e-2.
 */
export const DEFAULT_TOLERANCE = 1e-3;

/** Positions that one probe compares. The cost of a run does not depend on the number of tapped values. */
const PLACES = 8;

/** Nodes in one piece of the sweep: all of their values are in memory at once. */
const PIECE = 16;

interface BisectRequest {
  readonly model: ModelProto;
  readonly modelName: string;
  readonly adapter: string | null;
  /** Values of the graph's inputs. */
  readonly feeds: ReadonlyMap<string, GraphTensor>;
  /** The reference. */
  readonly wasm: GraphRunner;
  readonly webgpu: GraphRunner;
  readonly tolerance: number;
  readonly onStep: OnStep;
}

export interface BisectResult {
  readonly report: BisectReport;
  /** A golden bundle with the graph of the node, its inputs and the outputs of WASM; null if no node was found. */
  readonly bugReport: Uint8Array | null;
}

type Values = ReadonlyMap<string, GraphTensor>;

interface Search extends BisectRequest {
  readonly alive: (index: number) => string[];
  numProbes: number;
  /** WASM's values at the end of the graph, including the outputs, if no earlier value differs. */
  last: Values;
}

/** Nodes `(low, high]` contain the first difference; `feeds` are WASM's values at `low`. */
interface NodeRange {
  readonly low: number;
  readonly high: number;
  readonly feeds: Values;
  /** Start of the run that showed the difference at `high`. */
  readonly origin: { readonly low: number; readonly feeds: Values };
}

/**
 * Finds the first node whose output on WebGPU differs from WASM. If that node alone is correct, the difference accumulates
 * over several nodes, like rounding. The result is then the shortest range up to that node that still shows the difference.
 *
 * The search begins with bisection. Each probe compares all live values at up to eight positions of the remaining range.
 * The next probe starts where both backends still agreed and feeds WASM's values to both. Rounding does not accumulate over
 * the whole graph, and each probe is shorter than the previous one.
 *
 * A difference can vanish before the next position: a normalization removes a factor, a maximum hides a value. So a sweep
 * then compares every value, piece by piece, of all nodes before the one that was found, or of the whole graph if none was
 * found.
 *
 * @throws VoxlaneError `options` if no value differs because all outputs are NaN or infinite; errors of the backends
 */
export async function bisect(request: BisectRequest): Promise<BisectResult> {
  const { wasm, feeds, onStep, modelName, adapter, tolerance } = request;
  const { nodes } = wasm.info;
  const alive = liveValues(wasm.info);
  const search: Search = { ...request, alive, numProbes: 0, last: new Map() };
  const seen = await halve(search, { low: -1, high: nodes.length - 1, feeds, origin: { low: -1, feeds } });
  const found = (await sweep(search, seen?.high ?? nodes.length)) ?? seen;
  const common = { model: modelName, adapter, tolerance, numNodes: nodes.length, numProbes: search.numProbes };
  if (!found) {
    requireFinite(search);
    return { report: { ...common, verdict: 'pass', node: null, range: null, difference: null, alone: null }, bugReport: null };
  }
  await onStep('the node alone', nodes.length, nodes.length);
  const { report, bugReport } = await judgeAlone(request, nodes[found.high]!, found.feeds);
  if (report.alone?.verdict === 'fail') return { report: { ...common, verdict: 'fail', ...report }, bugReport };
  await onStep('the range in which it adds up', nodes.length, nodes.length);
  const range = await judgeRange(search, found);
  return { report: { ...common, verdict: 'fail', ...range.report }, bugReport: range.bugReport };
}

/** NaN equals NaN: backends that return nothing else agree, but this is no evidence. */
function requireFinite({ wasm, last }: Search): void {
  const outputs = wasm.info.outputs.flatMap(({ name }) => last.get(name) ?? []);
  if (outputs.length === 0 || outputs.some(canSelfCheck)) return;
  throw new VoxlaneError({
    code: 'options',
    problem: 'No value differs, but all outputs are NaN or infinite on both backends',
    expected: 'inputs for which the graph returns finite numbers',
    remedy: 'Pass other inputs as .npy files, or look for weights that are not finite with npm run audit',
  });
}

/** Narrows a range down to one node; null if no position shows a difference. */
async function halve(search: Search, whole: NodeRange): Promise<NodeRange | null> {
  let found: NodeRange | null = null;
  for (let range: NodeRange | null = whole; range && range.high - range.low >= 1; ) {
    await search.onStep(`${range.high - range.low} of ${whole.high + 1} nodes left`, found ? 1 : 0, 2);
    range = await probe(search, range, PLACES);
    // If the difference vanishes, it needs more than one range to accumulate: report the last node that showed it.
    found = range ?? found;
    if (range && range.high - range.low === 1) break;
  }
  return found;
}

/** Compares every value of the nodes before `end`; null if none differs. */
async function sweep(search: Search, end: number): Promise<NodeRange | null> {
  let { feeds } = search;
  for (let low = -1; low < end - 1; low += PIECE) {
    const high = Math.min(low + PIECE, end - 1);
    await search.onStep(`each of the nodes ${low + 2} to ${high + 1}`, low + 1, end);
    const passed: { feeds?: Values } = {};
    const found = await probe(search, { low, high, feeds, origin: { low, feeds } }, PIECE, passed);
    if (found) return found;
    feeds = passed.feeds!;
  }
  search.last = feeds;
  return null;
}

/** For each node, its own values and the values that exist after it and that a later node or the caller still uses. */
function liveValues(info: GraphInfo): (index: number) => string[] {
  const { nodes, outputs } = info;
  const tensors = new Set(valueNames(info));
  const lastUse = new Map<string, number>(outputs.map(({ name }) => [name, Infinity]));
  nodes.forEach(({ inputs, captured }, index) => {
    for (const name of [...inputs, ...captured]) lastUse.set(name, Math.max(lastUse.get(name) ?? -1, index));
  });
  return (index) =>
    nodes.slice(0, index + 1).flatMap(({ outputs: made }, place) =>
      made.filter((name) => tensors.has(name) && (place === index || (lastUse.get(name) ?? -1) > index)),
    );
}

/**
 * The first range between two of `numPlaces` positions at whose end the backends differ; null if they agree at all
 * positions.
 */
async function probe(
  search: Search,
  { low, high, feeds }: NodeRange,
  numPlaces: number,
  passed: { feeds?: Values } = {},
): Promise<NodeRange | null> {
  const { wasm, webgpu, alive, tolerance } = search;
  search.numProbes++;
  const count = Math.min(numPlaces, high - low);
  const places = Array.from({ length: count }, (_, i) => low + Math.ceil(((i + 1) * (high - low)) / count));
  const wanted = places.map((place) => alive(place).filter((name) => !feeds.has(name)));
  const names = [...new Set(wanted.flat())];
  const expected = await wasm.values(feeds, names);
  const actual = await webgpu.values(feeds, names);
  const first = places.findIndex((_, i) =>
    wanted[i]!.some((name) => differ(actual.get(name)!, expected.get(name)!, tolerance)),
  );
  /** The graph's inputs stay, because any node may read them; other values stay while they are live. */
  const feedsAt = (place: number): Values => {
    const living = new Set(alive(places[place]!));
    const kept = [...feeds].filter(([name]) => search.feeds.has(name) || living.has(name));
    return new Map<string, GraphTensor>([...kept, ...wanted[place]!.map((name) => [name, expected.get(name)!] as const)]);
  };
  if (first < 0) passed.feeds = feedsAt(places.length - 1);
  if (first < 0) return null;
  const origin = { low, feeds };
  return first === 0
    ? { low, high: places[0]!, feeds, origin }
    : { low: places[first - 1]!, high: places[first]!, feeds: feedsAt(first - 1), origin };
}

/**
 * True if two values differ by more than `tolerance` times the greatest expected value, or if they are not finite at
 * different positions.
 */
export function differ(actual: GraphTensor, expected: GraphTensor, tolerance: number): boolean {
  const { length } = expected.data;
  if (actual.data.length !== length) return true;
  let greatest = 0;
  for (const value of expected.data) if (Number.isFinite(value)) greatest = Math.max(greatest, Math.abs(value));
  const most = tolerance * greatest;
  for (let i = 0; i < length; i++) {
    const [ours, theirs] = [actual.data[i]!, expected.data[i]!];
    if (!(Object.is(ours, theirs) || Math.abs(ours - theirs) <= most)) return true;
  }
  return false;
}

/** Runs the node alone on both backends, with WASM's values as inputs. */
async function judgeAlone(
  { model, wasm, webgpu, tolerance }: BisectRequest,
  node: NodeInfo,
  feeds: Values,
): Promise<{ report: Pick<BisectReport, 'node' | 'range' | 'difference' | 'alone'>; bugReport: Uint8Array }> {
  const { outputs: made } = node;
  const needed = isolateNode(model, node.name, wasm.knownTypes).inputs;
  const computed = needed.filter((name) => !feeds.has(name));
  const inputs = new Map<string, GraphTensor>(feeds);
  if (computed.length > 0) {
    for (const [name, tensor] of await wasm.values(feeds, computed)) inputs.set(name, tensor);
  }
  const own = new Map(needed.map((name) => [name, inputs.get(name)!]));
  const difference = worstOf(await webgpu.values(feeds, made), await wasm.values(feeds, made));
  const expected = await wasm.values(own, made);
  const actual = await webgpu.values(own, made);
  const isWrong = made.some((name) => differ(actual.get(name)!, expected.get(name)!, tolerance));
  const alone = worstOf(actual, expected);
  return {
    report: {
      node: describeNode(node, own, expected),
      range: null,
      difference,
      alone: alone && { ...alone, verdict: isWrong ? 'fail' : 'pass' },
    },
    bugReport: makeBugReport(isolateNode(model, node.name, wasm.knownTypes).model, node, own, expected, tolerance),
  };
}

/**
 * The latest start for which a run to the end of `found` still shows the difference. Searches later starts by bisection:
 * the start one node before the end shows no difference.
 */
async function judgeRange(
  search: Search,
  { high, origin }: NodeRange,
): Promise<{ report: Pick<BisectReport, 'node' | 'range' | 'difference' | 'alone'>; bugReport: Uint8Array }> {
  const { model, wasm, webgpu, alive, tolerance } = search;
  const { nodes } = wasm.info;
  const last = nodes[high]!;
  const tensors = new Set(valueNames(wasm.info));
  const made = last.outputs.filter((name) => tensors.has(name));
  let { low, feeds } = origin;
  for (let right = Math.max(low + 1, high - 1); right - low > 1; ) {
    const middle = Math.floor((low + right) / 2);
    const wanted = alive(middle).filter((name) => !feeds.has(name));
    const later = new Map<string, GraphTensor>([...feeds, ...(await wasm.values(feeds, wanted))]);
    search.numProbes++;
    const [expected, actual] = [await wasm.values(later, made), await webgpu.values(later, made)];
    if (made.some((name) => differ(actual.get(name)!, expected.get(name)!, tolerance))) {
      low = middle;
      feeds = later;
    } else {
      right = middle;
    }
  }
  const [expected, actual] = [await wasm.values(feeds, made), await webgpu.values(feeds, made)];
  const cut = extract(model, { inputs: [...feeds.keys()].filter((name) => !made.includes(name)), outputs: made, types: wasm.knownTypes });
  const own = new Map(cut.inputs.map((name) => [name, feeds.get(name)!]));
  const first = nodes[low + 1]!;
  return {
    report: {
      node: null,
      range: { first: first.name, last: last.name, numNodes: high - low },
      difference: worstOf(actual, expected),
      alone: null,
    },
    bugReport: makeBugReport(cut.model, last, own, expected, tolerance),
  };
}

/** Measures of the output that differs most. */
function worstOf(actual: Values, expected: Values): Measures | null {
  const all = Array.from(expected, ([name, tensor]) => {
    const axes = tensor.shape.map((_, axis) => `axis${axis}`);
    return measure(actual.get(name)!, tensor, axes);
  });
  const size = ({ maxAbs }: Measures): number => maxAbs ?? Infinity;
  return all.reduce<Measures | null>((worst, one) => (worst && size(worst) >= size(one) ? worst : one), null);
}

function describeNode(node: NodeInfo, inputs: Values, outputs: ReadonlyMap<string, SessionTensor>): NodeReport {
  const described = (values: Values) => Array.from(values, ([name, { shape }]) => ({ name, shape }));
  return {
    name: node.name,
    op: node.domain === '' ? node.op : `${node.domain}.${node.op}`,
    attributes: node.attributes,
    inputs: described(inputs),
    outputs: described(outputs),
  };
}

function makeBugReport(
  graph: ModelProto,
  node: NodeInfo,
  inputs: Values,
  expected: Values,
  tolerance: number,
): Uint8Array {
  const named = (values: Values) =>
    Array.from(values, ([name, { data, shape }]) => ({
      name,
      data,
      shape,
      axes: shape.map((_, axis) => `axis${axis}`),
    }));
  const greatest = Math.max(...Array.from(expected.values(), ({ data }) => data.reduce((a, b) => Math.max(a, Math.abs(b)), 0)));
  return writeBundle({
    model: `${node.op} ${node.name}`,
    source: { made_by: 'bisection of WebGPU against WASM; the stages are the outputs of WASM', op: node.op },
    inputs: named(inputs),
    stages: named(expected),
    tolerance: { maxAbs: Number.isFinite(greatest) ? tolerance * greatest : tolerance, cosine: 1 - tolerance },
    graph: encodeOnnx(graph),
  });
}
