import { cpuSegmentFeatures, gpuSegmentFeatures } from '../embedding/gpuGather';
import { openGpu, type GpuContext } from '../gpu/context';
import { runtimeVersion } from '../ort/runtime';
import { openSession, type Session } from '../ort/session';
import { graphInfo, tensorlessKind, valueNames } from '../onnx/model';
import type { ModelProto } from '../onnx/onnx_pb';
import { closest } from '../onnx/nodes';
import { type FbankSpec, isShipped } from '../store/manifest';
import { secondsOfFrame } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { userAgent } from '../util/host';
import { permutationsThatFit, transpose } from './align';
import { auditWeights } from './audit/auditWeights';
import type { AuditReport, BackendName, BetweenReport, BisectReport, ComparisonReport, RuntimeBackend } from './report';
import { bisect, DEFAULT_TOLERANCE, type BisectResult } from './bisect';
import { coverageOf, outcomeOf } from './verdict';
import type { DecisionRule } from './decisions/rule';
import { describeOpened, type Opened } from './describeOpened';
import { type Bases, type OpenedFiles, openFiles, openShipped, selectStep } from './openModel';
import type { NamedFile } from './files/goldenFiles';
import { GraphRunner, type GraphTensor, hasBranches, openBranches, type ValueRunner } from './graphRunner';
import { hasKernels, openGpuKernels, openKernels, planForKernels } from './kernelRunner';
import { computeLayer, layerSampleRate, type LayerChoice } from './layer';
import { hasShape, measure } from './measure';
import { type ListedValue, listValues, matchValues } from './matchValues';
import { drawPicture, type Pair, type StagePicture } from './picture';
import { makePlan, noGoldens, noStage, type Plan, type StageTensors } from './plan';
import { measurePrecision } from './precision';
import type { PrecisionHead, PrecisionReport, PrecisionRow } from './precisionReport';
import { compareStages, type RunResult } from './run';
import { findSampleFeeds } from './sampleInputs';
import { compareSteps } from './steps/compareSteps';
import type { StepsReport } from './steps/stepsReport';
import { computeFeeds, type OnStep, type PlanRunner, type StageRunner } from './stages';
import type { ToleranceOverride } from './stageTolerance';
import type { NamedTensor } from './tensor';
import type { WeightsForm } from '../weights/convert';

export interface ComparisonSettings extends Bases {
  /** Folder of ONNX Runtime's files. */
  readonly runtime: FileBase;
  /** Number of WASM threads. */
  readonly threads: number;
}

/** Options of {@link Comparison.precision} besides the backend. */
export interface PrecisionChoices {
  /** Maximum number of nodes that are tried one by one. */
  readonly limit: number;
  /** What the outputs decide; takes precedence over the bundle and the graph. */
  readonly decisions?: DecisionRule | undefined;
}

/** Options of a comparison besides the backend. */
export interface CompareChoices {
  readonly thorough: boolean;
  readonly tolerance?: ToleranceOverride | undefined;
  /** What the outputs decide; takes precedence over the bundle and the graph. */
  readonly decisions?: DecisionRule | undefined;
}

interface Filterbank {
  readonly facts: FbankSpec;
  readonly sampleRate: number;
}

/** Maximum number of heatmap cells that a wide screen can show. */
const MAX_ROWS = 256;
const MAX_COLUMNS = 1024;

const NO_STEP: OnStep = () => undefined;

/** The backend that each pair compares with the golden values. */
const PAIRED = { 'golden-wasm': 'wasm', 'golden-webgpu': 'webgpu', 'golden-kernels': 'kernels' } as const;

/** One graph with its goldens and all results for it. Implements the comparison panel and the commands. */
export class Comparison {
  private files: OpenedFiles | null = null;
  private chosen: ReadonlyMap<string, string> = new Map();
  private plan: Plan | null = null;
  private isPlanComplete = false;
  private runners = new Map<RuntimeBackend, PlanRunner>();
  private results = new Map<BackendName, RunResult>();
  private bisected: BisectResult | null = null;
  /** Runners that use our own kernels, by backend. */
  private kernelGraphs = new Map<BackendName, ValueRunner>();
  private gpu: GpuContext | null = null;

  constructor(private readonly settings: ComparisonSettings) {}

  /**
   * Opens a graph, goldens, or both, in place of the current files.
   *
   * @param onStep called before the new files replace the current ones; if it throws, the current files stay open
   * @param form of weights that are bound by name; default float32
   * @throws VoxlaneError `options`, `format`, `model-*`; errors of `onStep`
   */
  async open(files: readonly NamedFile[], onStep: OnStep = NO_STEP, form?: WeightsForm): Promise<Opened> {
    return this.use(await openFiles(files, this.settings, form), onStep);
  }

  /** Opens a model of this release with its goldens. @param onStep as for {@link open} */
  async openShipped(id: string, onStep: OnStep = NO_STEP): Promise<Opened> {
    if (!isShipped(id)) throw refused(`No model ${id} ships with this release`, 'Choose a bundled model');
    return this.use(await openShipped(id, this.settings), onStep);
  }

  /**
   * Maps a stage to a value of the graph.
   *
   * @param onStep as for {@link open}
   * @throws VoxlaneError `options` for an unknown stage or value; errors of `onStep`
   */
  async mapStage(stage: string, value: string, onStep: OnStep = NO_STEP): Promise<Opened> {
    const files = this.opened();
    const stages = files.bundle?.stages.map(({ name }) => name) ?? [];
    if (!stages.includes(stage)) {
      throw refused(`The goldens have no stage ${stage}`, `The closest are ${closest(stage, stages).join(', ')}`);
    }
    if (!files.info.nodes.some(({ outputs }) => outputs.includes(value))) {
      const alike = closest(value, valueNames(files.info)).join(', ');
      throw refused(`The graph has no value ${value}`, `The closest are ${alike}; compare --list prints all of them`);
    }
    return this.use(files, onStep, new Map(this.chosen).set(stage, value));
  }

  /** @throws VoxlaneError `options` without goldens; errors of the backend */
  async compare(backend: BackendName, { thorough, tolerance, decisions: rule }: CompareChoices, onStep: OnStep): Promise<ComparisonReport> {
    const { name, model, info, bundle, checkpoint } = this.opened();
    if (!this.plan || !bundle) throw noGoldens(bundle, checkpoint?.name ?? null, info);
    const variants = await this.runner('wasm');
    const complete = await this.completePlan(this.plan, variants, onStep);
    if (complete.stages.length === 0) throw noStage(bundle, info, complete.skipped);
    const isGraph = backend !== 'kernels';
    const runner = isGraph ? await this.stageRunner(backend) : this.kernels(variants);
    const plan = isGraph ? complete : planForKernels(complete, runner.graph);
    const start = performance.now();
    const request = { plan, model, runner, variants: isGraph ? variants : null, thorough, tolerance, decisions: rule, onStep };
    const result = await this.orForgetGpu(() => compareStages(request));
    this.results.set(backend, result);
    const { stages, firstDivergence, decisions } = result;
    const coverage = coverageOf(plan);
    const verdict = outcomeOf(result.verdict, coverage);
    const seconds = (performance.now() - start) / 1000;
    return { decisions, model: name, backend, adapter: this.adapterOf(backend), verdict, coverage, firstDivergence, stages, seconds };
  }

  /** Selects a recorded step of a model with a state for {@link compare}. @param onStep as for {@link open} */
  async selectStep(index: number, onStep: OnStep = NO_STEP): Promise<Opened> {
    return this.use(selectStep(this.opened(), index), onStep, this.chosen);
  }

  /** Compares all recorded steps, from the golden state and from our own. @throws VoxlaneError `options` without steps; errors of the backend */
  async compareSteps(backend: RuntimeBackend, tolerance: ToleranceOverride | undefined, onStep: OnStep): Promise<StepsReport> {
    const { model, streamed } = this.opened();
    if (!streamed) throw refused('The goldens have no steps', 'Compare their stages');
    const [variants, runner] = [await this.runner('wasm'), await this.runner(backend)];
    return this.orForgetGpu(() => compareSteps({ ...streamed, model, backend, runner, variants, tolerance, onStep }));
  }

  /** Compares WebGPU with WASM, after both were compared with golden. */
  between(): BetweenReport[] {
    const [wasm, webgpu] = [this.result('wasm'), this.result('webgpu')];
    return wasm.map(({ planned: { golden, axes, clock }, actual }, index) => ({
      name: golden.name,
      ...measure(webgpu[index]!.actual, actual, axes, clock && ((frame) => secondsOfFrame(clock, frame))),
    }));
  }

  /** @param column column of the slice; by default the worst */
  picture(stage: string, pair: Pair, column?: number): StagePicture {
    const { left, right, planned } = this.sides(stage, pair);
    const { axes, clock } = planned;
    const time = clock && {
      startSeconds: secondsOfFrame(clock, 0),
      stepSeconds: clock.stepSamples / clock.sampleRate,
    };
    const options = { maxRows: MAX_ROWS, maxColumns: MAX_COLUMNS, time };
    return drawPicture(left, right, axes, column === undefined ? options : { ...options, column });
  }

  /** Audits every weight of the graph and of the checkpoint opened with it. */
  audit(onStep: OnStep): Promise<AuditReport> {
    const { model, name, checkpoint } = this.opened();
    return auditWeights(model, name, checkpoint, onStep);
  }

  /** @param tolerance relative to the greatest value of a tensor */
  async bisect(tolerance: number | undefined, onStep: OnStep): Promise<BisectReport> {
    const { model, name } = this.opened();
    const wasm = await this.runner('wasm');
    const webgpu = await this.runner('webgpu');
    const feeds = await this.feeds(wasm);
    const adapter = this.adapterOf('webgpu');
    const graphs = { wasm: wasm.graph, webgpu: webgpu.graph };
    const common = { model, modelName: name, adapter, tolerance: tolerance ?? DEFAULT_TOLERANCE, onStep };
    this.bisected = await this.orForgetGpu(() => bisect({ ...common, feeds, ...graphs }));
    return this.bisected.report;
  }

  /**
   * Measures how many decisions change if the weights of each node are rounded, on the golden inputs.
   *
   * @param onRow called for each node as soon as it was tried
   * @throws VoxlaneError `options` without goldens or float32 weights; errors of the backend
   */
  async precision(backend: RuntimeBackend, { limit, decisions }: PrecisionChoices, onRow: (row: PrecisionRow, head: PrecisionHead) => void, onStep: OnStep): Promise<PrecisionReport> {
    const { name, model, info } = this.opened();
    if (!this.plan) throw refused('There are no golden inputs to run the graph on', 'Open a golden bundle');
    const { plan } = this;
    const runner = await this.runner(backend);
    const feeds = await computeFeeds(plan, runner);
    const about = { model: name, backend, adapter: this.adapterOf(backend) };
    const outputs = info.outputs.map((output) => output.name).filter((output) => tensorlessKind(info, output) === null);
    const known = new Map(plan.stages.map(({ value, axes, golden }) => [value, { axes, decisions: golden.decisions }]));
    const { graph } = runner;
    return this.orForgetGpu(() => measurePrecision({ model, graph, feeds, outputs, known, stated: decisions, limit, about, onRow, onStep }));
  }

  /** Lists every value of the graph with its shape for the golden input, or for a sample input if there is none. */
  async list(onStep: OnStep): Promise<ListedValue[]> {
    const wasm = await this.runner('wasm');
    let feeds: ReadonlyMap<string, GraphTensor> | null = null;
    try {
      feeds = await this.feeds(wasm);
    } catch (error) {
      // If the graph accepts no sample input, the file may still declare shapes.
      if (!(error instanceof VoxlaneError) || error.code !== 'options') throw error;
    }
    return listValues(wasm.graph, feeds, onStep);
  }

  /** The result of the bisection, as a golden bundle with a graph of one node. */
  bugReport(): Uint8Array {
    if (this.bisected?.bugReport) return this.bisected.bugReport;
    throw refused('No node was found to report', 'Bisect first; if both backends agree, there is nothing to report');
  }

  /** See {@link layerSampleRate}. */
  layerSampleRate(choice: LayerChoice): Promise<number> {
    return layerSampleRate(choice, this.settings.models);
  }

  /** Computes one layer of a bundled model for any audio. Requires no open files. */
  async layer(choice: LayerChoice, samples: Float32Array, backend: RuntimeBackend): Promise<NamedTensor> {
    let opened: PlanRunner | null = null;
    try {
      return await this.orForgetGpu(() =>
        computeLayer(choice, samples, this.settings.models, async (model, manifest) => {
          const filterbank = manifest.task === 'embedding' ? { facts: manifest.fbank, sampleRate: manifest.sampleRate } : null;
          opened = await this.makeRunner(model, backend, filterbank);
          return opened;
        }),
      );
    } finally {
      await (opened as PlanRunner | null)?.graph.release();
    }
  }

  /** The environment of the results, for a report. */
  async environment(): Promise<Record<string, string>> {
    const { files, gpu, settings } = this;
    return {
      browser: userAgent(),
      runtime: `onnxruntime-web ${await runtimeVersion(settings.runtime)}`,
      adapter: gpu?.adapterName ?? 'none used',
      threads: String(settings.threads),
      ...(files && { model: files.name, graphSha256: files.sha256, graphBytes: String(files.bytes) }),
      ...(files?.bundle && { goldens: files.goldenFile }),
    };
  }

  /** Keeps the current files until the new ones are known to work. */
  private async use(files: OpenedFiles, onStep: OnStep, chosen: ReadonlyMap<string, string> = new Map()): Promise<Opened> {
    const opened = await this.withOpenBranches(files, chosen);
    const plan = this.planOf(opened, chosen);
    await onStep('opened', 1, 1);
    await this.forget();
    this.files = opened;
    this.plan = plan;
    this.isPlanComplete = false;
    this.chosen = chosen;
    return describeOpened(opened, plan);
  }

  private planOf({ bundle, info, manifest, structure }: OpenedFiles, chosen: ReadonlyMap<string, string>): Plan | null {
    return bundle && bundle.stages.length > 0 ? makePlan(bundle, info, manifest, chosen, structure) : null;
  }

  /** Inlines the branches that run for the golden inputs. */
  private async withOpenBranches(files: OpenedFiles, chosen: ReadonlyMap<string, string>): Promise<OpenedFiles> {
    const { model, bundle } = files;
    if (!bundle || !hasBranches(model)) return files;
    const feeds = this.planOf(files, chosen)?.feeds;
    if (!feeds) return files;
    const stages = new Set(bundle.stages.flatMap(({ name, value }) => [name, ...(value === null ? [] : [value])]));
    const opened = await openBranches(model, feeds, this.opener(null), stages);
    return { ...files, model: opened.model, info: graphInfo(opened.model), bundle: { ...bundle, notes: [...bundle.notes, ...opened.notes] } };
  }

  /** Inputs of the graph: golden inputs, else sample inputs. @throws VoxlaneError `options` */
  private feeds(wasm: PlanRunner): Promise<ReadonlyMap<string, GraphTensor>> {
    const { info, bundle } = this.opened();
    return this.plan ? computeFeeds(this.plan, wasm) : findSampleFeeds(info, bundle?.inputs ?? [], wasm.graph);
  }

  /** Adds the stages that are found by the values of a run. */
  private async completePlan(plan: Plan, wasm: PlanRunner, onStep: OnStep): Promise<Plan> {
    if (this.isPlanComplete) return plan;
    const complete = await matchValues(plan, wasm.graph, await computeFeeds(plan, wasm), onStep);
    this.isPlanComplete = true;
    this.plan = complete;
    return complete;
  }

  private async forget(): Promise<void> {
    for (const graph of this.kernelGraphs.values()) await graph.release();
    for (const { graph } of this.runners.values()) await graph.release();
    this.runners.clear();
    this.results.clear();
    this.bisected = null;
    this.kernelGraphs.clear();
  }

  private opened(): OpenedFiles {
    if (this.files) return this.files;
    throw refused('Nothing is open', 'Open a graph or goldens first');
  }

  /** One runner per backend, kept with its session. */
  private async runner(backend: RuntimeBackend): Promise<PlanRunner> {
    const known = this.runners.get(backend);
    if (known) return known;
    const runner = await this.makeRunner(this.opened().model, backend, this.plan?.features ?? null);
    this.runners.set(backend, runner);
    return runner;
  }

  /** Like {@link runner}; on WebGPU with our own kernels where a diarizer runs them. */
  private async stageRunner(backend: RuntimeBackend): Promise<StageRunner> {
    const runner = await this.runner(backend);
    const { model, manifest } = this.opened();
    if (backend !== 'webgpu' || !this.gpu) return runner;
    const graph = this.kernelGraphs.get(backend) ?? (await openGpuKernels(model, manifest, runner.graph, this.gpu));
    this.kernelGraphs.set(backend, graph);
    return { ...runner, graph };
  }

  /** The kernels that a diarizer runs on WASM. @throws VoxlaneError `options` if it runs the graph on ONNX Runtime alone */
  private kernels(wasm: PlanRunner): StageRunner {
    const { features } = wasm;
    const known = this.kernelGraphs.get('kernels');
    if (known) return { graph: known, features };
    const { model, manifest } = this.opened();
    if (!manifest || !hasKernels(model, manifest)) {
      throw refused('Our own kernels do not compute this graph', 'Compare a model of this release, or another backend');
    }
    const graph = openKernels(model, manifest, wasm.graph);
    this.kernelGraphs.set('kernels', graph);
    return { graph, features };
  }

  private async makeRunner(model: ModelProto, backend: RuntimeBackend, filterbank: Filterbank | null): Promise<PlanRunner> {
    const gpu = backend === 'webgpu' ? (this.gpu ??= await openGpu()) : null;
    const graph = new GraphRunner(model, { open: this.opener(gpu) });
    if (!filterbank) return { graph, features: null };
    const { facts, sampleRate } = filterbank;
    return { graph, features: gpu ? await gpuSegmentFeatures(gpu, facts, sampleRate) : cpuSegmentFeatures(facts, sampleRate) };
  }

  /** Creates sessions on WebGPU, or on WASM without a device. */
  private opener(gpu: GpuContext | null): (bytes: Uint8Array) => Promise<Session> {
    const { runtime: runtimeBase, threads } = this.settings;
    return (bytes) => openSession(bytes, { runtimeBase, threads, gpu });
  }

  /** A lost device cannot recover: the next call gets a new one. */
  private async orForgetGpu<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof VoxlaneError && error.code === 'gpu-lost') {
        this.gpu = null;
        this.runners.delete('webgpu');
        this.kernelGraphs.delete('webgpu');
      }
      throw error;
    }
  }

  private adapterOf(backend: BackendName): string | null {
    return backend === 'webgpu' ? (this.gpu?.adapterName ?? null) : null;
  }

  private result(backend: BackendName): readonly StageTensors[] {
    const result = this.results.get(backend);
    if (!result) throw refused(`Nothing was compared on ${backend}`, 'Compare on that backend first');
    return result.tensors;
  }

  private stageOf(stage: string, backend: BackendName): StageTensors {
    const found = this.result(backend).find(({ planned }) => planned.golden.name === stage);
    if (!found) throw refused(`No stage ${stage} was compared`, 'Choose a stage of the report');
    return found;
  }

  private sides(stage: string, pair: Pair) {
    if (pair === 'wasm-webgpu') {
      const { actual, planned } = this.stageOf(stage, 'wasm');
      return { left: actual, right: this.stageOf(stage, 'webgpu').actual, planned };
    }
    const { golden, actual, planned } = this.stageOf(stage, PAIRED[pair]);
    // If the golden tensor has another layout, only the axis order that fits ours is useful in a picture.
    const [order] = hasShape(golden, actual.shape) ? [] : permutationsThatFit(golden.shape, actual.shape);
    return { left: order ? transpose(golden, order) : golden, right: actual, planned };
  }
}

function refused(problem: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, remedy });
}
