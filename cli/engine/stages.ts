/** The work of the command `stage`, on a page or in Node. */
import type { AudioFile } from '../../src/audio/types';
import { parseNpy } from '../../src/compare/files/npy';
import { writeNpy } from '../../src/compare/files/write';
import { DECODE } from '../../src/compare/layer';
import type { RuntimeBackend } from '../../src/compare/report';
import type { CallOptions, Comparator } from '../../src/engine/comparator';
import { Diarizer } from '../../src/engine/diarizer';
import { modelsBase } from '../../src/engine/options';
import { STAGES, type Artifact, type StageName } from '../../src/engine/stages';
import { loadManifest } from '../../src/store/load';
import { isShipped, SHIPPED_MODELS } from '../../src/store/manifest';
import { VoxlaneError } from '../../src/util/errors';
import { openPath } from '../../src/util/host';
import { answer, type Answer } from './answer';
import { stageSound } from './stageSound';

export interface StageRequest {
  /** A stage of the pipeline, a layer, or `model/layer`. */
  readonly stage: string;
  readonly backend: RuntimeBackend;
  readonly startSeconds: number;
  readonly durationSeconds: number | undefined;
}

/** The tensor of a stage, with its `.npy` file. */
export interface StageAnswer {
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly npy: Uint8Array;
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

/** Computes one stage of a file in isolation. @param name name of the file; `.npy` files contain samples */
export function computeStage(comparator: Comparator, name: string, file: AudioFile, request: StageRequest, progress: CallOptions): Promise<Answer<StageAnswer>> {
  return answer(async () => {
    const source = name.endsWith('.npy') ? parseNpy(await bytesOf(file), name).data : file;
    const found = PIPELINE_STAGES.find((stage) => stage === request.stage);
    const notes: string[] = [];
    const tensor = found ? await runPipelineTo(found, source, request, notes) : await runLayer(comparator, source, request, notes, progress);
    return { ...describe(tensor), notes };
  });
}

async function bytesOf(file: AudioFile): Promise<Uint8Array> {
  const blob = file.kind === 'file' ? file.blob : await openPath(file.path);
  return new Uint8Array(await blob.arrayBuffer());
}

type StageTensor = Pick<Artifact, 'axes' | 'shape'> & { readonly data: Float32Array };

/** Reads the samples of the segment and appends notes about the file to `notes`. */
async function segmentOf(source: AudioFile | Float32Array, { startSeconds, durationSeconds }: StageRequest, notes: string[]): Promise<Pick<StageRequest, 'startSeconds' | 'durationSeconds'> & { readonly source: Float32Array }> {
  if (source instanceof Float32Array) return { source, startSeconds, durationSeconds };
  const sound = await stageSound(source, { sampleRate: MODEL_SAMPLE_RATE, startSeconds, ...(durationSeconds !== undefined && { durationSeconds }) });
  notes.push(...sound.notes);
  return { source: sound.samples, startSeconds: 0, durationSeconds: undefined };
}

async function runLayer(comparator: Comparator, source: AudioFile | Float32Array, request: StageRequest, notes: string[], progress: CallOptions): Promise<StageTensor> {
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
  return comparator.layer({ model, stage, ...(await segmentOf(source, request, notes)) }, backend, progress);
}

/** ID of the bundled model that has a layer of this name, or an empty string. */
async function modelWith(stage: string): Promise<string> {
  const base = await modelsBase({});
  for (const [id, task] of Object.entries(SHIPPED_MODELS)) {
    const { stages } = await loadManifest<'segmentation' | 'embedding'>(task, id, base);
    if (stage === DECODE || stages.some(({ name }) => name === stage)) return id;
  }
  return '';
}

/** Runs the pipeline until the stage is complete and concatenates its pieces along the first axis. */
async function runPipelineTo(
  stage: StageName,
  file: AudioFile | Float32Array,
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
  return { axes, shape, npy: writeNpy({ shape, data }), min, max, mean: sum / (data.length - nanCount), nanCount };
}
