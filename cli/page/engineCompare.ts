/** Comparison functions of the engine page for the commands `compare`, `bisect` and `stage`. */
import type { DecisionRule } from '../../src/compare/decisions/rule';
import { writeNpy } from '../../src/compare/files/write';
import { parseNpy } from '../../src/compare/files/npy';
import type { PrecisionHead, PrecisionReport, PrecisionRow } from '../../src/compare/precisionReport';
import type { BetweenReport, BisectReport, ComparisonReport, RuntimeBackend } from '../../src/compare/report';
import type { ToleranceOverride } from '../../src/compare/stageTolerance';
import { type CallOptions, Comparator, type ComparatorOptions, type NamedBlob } from '../../src/engine/comparator';
import { Diarizer } from '../../src/engine/diarizer';
import { DECODE } from '../../src/compare/layer';
import { STAGES, type Artifact, type StageName } from '../../src/engine/stages';
import { loadManifest } from '../../src/store/load';
import { isShipped, SHIPPED_MODELS } from '../../src/store/manifest';
import { stageSound } from './stageSound';
import { messageOf, VoxlaneError, type ErrorParts } from '../../src/util/errors';
import type { Runs } from '../compareReport';
import type { GraphList } from '../listGraph';
import type { Answer } from '../comparePage';

interface CompareRequest {
  /** Id of a bundled model to use instead of the selected files. */
  readonly shipped: string | null;
  readonly map: readonly (readonly [string, string])[];
  readonly backends: readonly RuntimeBackend[];
  readonly tolerance?: ToleranceOverride;
  readonly thorough: boolean;
  readonly decisions?: DecisionRule | undefined;
}

interface PrecisionFilesRequest {
  /** Id of a bundled model to use instead of the selected files. */
  readonly shipped: string | null;
  readonly map: readonly (readonly [string, string])[];
  readonly backend: RuntimeBackend;
  readonly limit: number;
  readonly decisions?: DecisionRule | undefined;
}

interface BisectFilesRequest {
  readonly shipped: string | null;
  readonly tolerance: number | undefined;
}

interface BisectAnswer {
  readonly report: BisectReport;
  /** Base64; null if there is nothing to report. */
  readonly bugReport: string | null;
}

interface StageRequest {
  /** A stage of the pipeline, a layer, or `model/layer`. */
  readonly stage: string;
  readonly backend: RuntimeBackend;
  readonly startSeconds: number;
  readonly durationSeconds: number | undefined;
}

/** The tensor of a stage, with its file as base64. */
interface StageAnswer {
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly npy: string;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly nanCount: number;
  /** Notes about repaired, skipped or omitted parts of the file. */
  readonly notes: readonly string[];
}

/** Stages that require a run of the pipeline, whose hook returns their artifacts. */
const PIPELINE_STAGES = STAGES.filter((stage) => stage !== 'decode' && stage !== 'fbank');

/** Sample rate of all bundled models, in Hz. */
const MODEL_SAMPLE_RATE = 16_000;

let comparator: Comparator | undefined;

/** The files selected in the page. */
function chosenFiles(): File[] {
  return [...(document.querySelector<HTMLInputElement>('#files')?.files ?? [])];
}

async function answer<Result>(work: () => Promise<Result>): Promise<Answer<Result>> {
  try {
    return { ok: true, result: await work() };
  } catch (error) {
    const parts: ErrorParts =
      error instanceof VoxlaneError ? error.toParts() : { code: 'worker-failed', problem: messageOf(error) };
    return { ok: false, error: parts };
  }
}

/** Calls `globalThis.sayStep` if it is defined. */
function progress(): CallOptions {
  const { sayStep } = globalThis as { sayStep?: (step: string) => void };
  return sayStep ? { onProgress: ({ step }) => { sayStep(step); } } : {};
}

function opened(): Comparator {
  if (!comparator) throw new Error('call openComparator() first');
  return comparator;
}

export const engineCompare = {
  Comparator,

  openComparator(options: ComparatorOptions = {}): void {
    comparator?.dispose();
    comparator = new Comparator(options);
  },

  /** Compares the selected files on each backend in turn. */
  compareFiles: ({ shipped, map, backends, tolerance = {}, thorough, decisions }: CompareRequest): Promise<Answer<Runs>> =>
    answer(async () => {
      const engine = opened();
      let about = shipped === null ? await engine.open(chosenFiles()) : await engine.openShipped(shipped);
      for (const [stage, value] of map) about = await engine.mapStage(stage, value);
      const runs: ComparisonReport[] = [];
      const failures: Runs['failures'][number][] = [];
      for (const backend of backends) {
        const run = await answer(() => engine.compare(backend, { ...progress(), tolerance, thorough, ...(decisions && { decisions }) }));
        if (run.ok) runs.push(run.result);
        else failures.push({ backend, error: run.error });
      }
      const between: readonly BetweenReport[] | null = runs.length > 1 ? await engine.between() : null;
      let kernels: ComparisonReport | null = null;
      if (about.hasKernels && backends.includes('wasm') && runs.length > 0) {
        const run = await answer(() => engine.compare('kernels', { ...progress(), tolerance, thorough, ...(decisions && { decisions }) }));
        if (run.ok) kernels = run.result;
        else failures.push({ backend: 'kernels', error: run.error });
      }
      return { runs, failures, between, kernels, notes: about.goldens?.notes ?? [] };
    }),

  /** Rounds the weights of the selected graph. Calls `globalThis.keepRow` for each row if it is defined. */
  roundFiles: ({ shipped, map, backend, limit, decisions }: PrecisionFilesRequest): Promise<Answer<PrecisionReport>> =>
    answer(async () => {
      const engine = opened();
      if (shipped === null) await engine.open(chosenFiles());
      else await engine.openShipped(shipped);
      for (const [stage, value] of map) await engine.mapStage(stage, value);
      const { keepRow } = globalThis as { keepRow?: (row: PrecisionRow, head: PrecisionHead) => void };
      return engine.precision(backend, { ...progress(), limit, ...(decisions && { decisions }), ...(keepRow && { onRow: keepRow }) });
    }),

  /** Lists the values of the selected graph. */
  listFiles: (shipped: string | null): Promise<Answer<GraphList>> =>
    answer(async () => {
      const engine = opened();
      const { model, graph } = shipped === null ? await engine.open(chosenFiles().map(asInput)) : await engine.openShipped(shipped);
      return { model, inputs: graph.inputs, values: await engine.values(progress()) };
    }),

  /** Bisects the selected graph, with the selected `.npy` files as inputs. */
  bisectFiles: ({ shipped, tolerance }: BisectFilesRequest): Promise<Answer<BisectAnswer>> =>
    answer(async () => {
      const engine = opened();
      if (shipped === null) await engine.open(chosenFiles().map(asInput));
      else await engine.openShipped(shipped);
      const report = await engine.bisect({ ...progress(), ...(tolerance !== undefined && { tolerance }) });
      return { report, bugReport: report.node ? toBase64(await engine.bugReport()) : null };
    }),

  /** Computes one stage of the selected file in isolation. */
  computeStage: (request: StageRequest): Promise<Answer<StageAnswer>> =>
    answer(async () => {
      const [file] = chosenFiles();
      if (!file) throw new Error('no file was selected');
      const source = file.name.endsWith('.npy') ? parseNpy(new Uint8Array(await file.arrayBuffer()), file.name).data : file;
      const found = PIPELINE_STAGES.find((name) => name === request.stage);
      const notes: string[] = [];
      const tensor = found ? await runPipelineTo(found, source, request, notes) : await runLayer(source, request, notes);
      return { ...describe(tensor), notes };
    }),
};

function asInput(file: File): NamedBlob {
  // Tensors in the folder "inputs" are inputs regardless of their names.
  return { name: /\.npy$/i.test(file.name) ? `inputs/${file.name}` : file.name, blob: file };
}

type StageTensor = Pick<Artifact, 'axes' | 'shape'> & { readonly data: Float32Array };

/** Reads the samples of the segment and appends notes about the file to `notes`. */
async function segmentOf(source: File | Float32Array, { startSeconds, durationSeconds }: StageRequest, notes: string[]): Promise<Pick<StageRequest, 'startSeconds' | 'durationSeconds'> & { readonly source: Float32Array }> {
  if (source instanceof Float32Array) return { source, startSeconds, durationSeconds };
  const sound = await stageSound(source, { sampleRate: MODEL_SAMPLE_RATE, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) });
  notes.push(...sound.notes);
  return { source: sound.samples, startSeconds: 0, durationSeconds: undefined };
}

async function runLayer(source: File | Float32Array, request: StageRequest, notes: string[]): Promise<StageTensor> {
  const { stage: path, backend } = request;
  const slash = path.lastIndexOf('/');
  const stage = path.slice(slash + 1);
  const model = slash < 0 ? await modelWith(stage) : path.slice(0, slash);
  if (!isShipped(model)) {
    throw new VoxlaneError({
      code: 'options',
      problem: `The stage ${path} does not exist`,
      expected: `${[...PIPELINE_STAGES, DECODE].join(', ')}, a layer of a bundled model, or MODEL/LAYER`,
      remedy: 'Use one of these names',
    });
  }
  return opened().layer({ model, stage, ...(await segmentOf(source, request, notes)) }, backend, progress());
}

/** ID of the bundled model that has a layer of this name, or an empty string. */
async function modelWith(stage: string): Promise<string> {
  const base = new URL('models/', document.baseURI).href;
  for (const [id, task] of Object.entries(SHIPPED_MODELS)) {
    const { stages } = await loadManifest<'segmentation' | 'embedding'>(task, id, base);
    if (stage === DECODE || stages.some(({ name }) => name === stage)) return id;
  }
  return '';
}

/** Runs the pipeline until the stage is complete and concatenates its pieces along the first axis. */
async function runPipelineTo(
  stage: StageName,
  file: File | Float32Array,
  request: StageRequest,
  notes: string[],
): Promise<StageTensor> {
  const { backend } = request;
  const { source, startSeconds, durationSeconds } = await segmentOf(file, request, notes);
  const controller = new AbortController();
  const pieces: Artifact[] = [];
  let completed = 0;
  const diarizer = await Diarizer.create({ backend });
  try {
    await diarizer.diarize(source, {
      // Samples from .npy files have the model's rate, like all stage inputs.
      sampleRate: MODEL_SAMPLE_RATE,
      startSeconds,
      ...(durationSeconds !== undefined && { durationSeconds }),
      signal: controller.signal,
      hook: (event) => {
        if (event.stage !== stage) return;
        // `completed` grows with each event, unless the run restarts because of a faulty GPU. Then earlier pieces are invalid.
        if (event.completed <= completed) pieces.length = 0;
        completed = event.completed;
        if (event.artifact) pieces.push(event.artifact);
        // Stop before later stages. `total` exceeds `completed` until the last window is known.
        if (completed >= event.total && stage === 'segmentation') controller.abort();
      },
    });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    diarizer.dispose();
  }
  const [first] = pieces;
  if (!first) return { axes: [], shape: [0], data: new Float32Array(0) };
  const data = new Float32Array(pieces.reduce((sum, piece) => sum + piece.data.length, 0));
  let length = 0;
  let end = 0;
  for (const piece of pieces) {
    data.set(piece.data, end);
    end += piece.data.length;
    length += piece.shape[0] ?? 0;
  }
  return { axes: first.axes, shape: [length, ...first.shape.slice(1)], data };
}

function describe({ axes, shape, data }: StageTensor): Omit<StageAnswer, 'notes'> {
  let [min, max, sum, nanCount] = [Infinity, -Infinity, 0, 0];
  for (const value of data) {
    if (Number.isNaN(value)) nanCount++;
    else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
  }
  return { axes, shape, npy: toBase64(writeNpy({ shape, data })), min, max, mean: sum / (data.length - nanCount), nanCount };
}

/** Converts in pieces, because calls are limited to about 100,000 arguments. */
function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 32_768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32_768));
  }
  return btoa(text);
}
