/**
 * The library on a page without a user interface, for the command line, the benchmarks and the tests.
 * The page's file input passes files, which stream from disk.
 */
import { engineCompare } from './engineCompare';
import { measurePooled } from './enginePooled';
import { engineProfile } from './engineProfile';
import { toJson } from '../../src/formats/json';
import { toRttm } from '../../src/formats/rttm';
import { cluster, deleteStoredModel, diarize, Diarizer, embed, fbank, presetInfo, Reclusterer, releaseStages, score, segment, storedModels, VoxlaneError, type DiarizeOptions, type DiarizerOptions, type Turn } from '../../src/index';
import { adapterName, isSoftware, requestAdapter } from '../../src/gpu/adapter';
import { messageOf } from '../../src/util/errors';
import { errorLine, partsOf } from '../errorLine';
import type { TurnOptions } from '../evaluate/sources';
import { outcomeOf, type FileOutcome, type FileRequest } from '../fileEngine';
import { aboutModelFile } from '../modelErrors';
import { plainVoices, type PlainVoices } from './plainVoices';

/** The model outputs for a file, or an error. */
/** Turns of a file, or an error message. */
export type TurnsOutcome =
  | { readonly ok: true; readonly turns: readonly Turn[]; readonly durationSeconds: number }
  | { readonly ok: false; readonly message: string };

export type VoicesOutcome =
  | { readonly ok: true; readonly voices: PlainVoices; readonly durationSeconds: number }
  | { readonly ok: false; readonly message: string };

let diarizer: Diarizer | undefined;

const enginePage = {
  ...engineCompare,
  ...engineProfile,
  measurePooled,
  diarize,
  Diarizer,
  Reclusterer,
  presetInfo,
  storedModels,
  deleteStoredModel,
  VoxlaneError,
  fbank,
  segment,
  embed,
  cluster,
  score,
  releaseStages,
  toJson,
  toRttm,

  /** The file selected in the page's file input. */
  chosenFile(): File {
    const file = document.querySelector<HTMLInputElement>('#file')?.files?.[0];
    if (!file) throw new Error('no file was selected');
    return file;
  },

  /**
   * Loads the models for {@link EnginePage.diarizeFile}. Returns null on success, else the error message.
   *
   * @param modelPath path of the selected model file, for errors
   */
  async open(options: DiarizerOptions, modelPath?: string): Promise<string | null> {
    try {
      const modelFile = document.querySelector<HTMLInputElement>('#files')?.files?.[0];
      const { sayDownload } = globalThis as { sayDownload?: NonNullable<DiarizerOptions['onDownload']> };
      diarizer = await Diarizer.create({
        ...options,
        ...(modelFile && { modelFile }),
        ...(sayDownload && { onDownload: sayDownload }),
      });
      return null;
    } catch (error) {
      return errorLine(aboutModelFile(error, modelPath));
    }
  },

  /** Diarizes the selected file and returns measurements. Calls `globalThis.sayProgress` if it is defined. */
  async measureFile(options: Pick<DiarizeOptions, 'durationSeconds'> = {}) {
    if (!diarizer) throw new Error('call open() first');
    const { sayProgress } = globalThis as { sayProgress?: NonNullable<DiarizeOptions['onProgress']> };
    const start = performance.now();
    const { turns, durationSeconds, timings, backend } = await diarizer.diarize(enginePage.chosenFile(), {
      ...options,
      ...(sayProgress && { onProgress: sayProgress }),
    });
    return { wallSeconds: (performance.now() - start) / 1000, turns, durationSeconds, timings, backend };
  },

  /** Runs the models on the selected file and returns the input of the clustering. */
  async voicesOfFile(): Promise<VoicesOutcome> {
    try {
      if (!diarizer) throw new Error('call open() first');
      const { voices, durationSeconds } = await diarizer.diarize(enginePage.chosenFile(), { keepVoices: true });
      return { ok: true, voices: await plainVoices(voices!), durationSeconds };
    } catch (error) {
      return { ok: false, message: errorLine(error) };
    }
  },

  /** Diarizes the selected file and returns only its turns. */
  async turnsOfFile(options: TurnOptions): Promise<TurnsOutcome> {
    try {
      if (!diarizer) throw new Error('call open() first');
      const { turns, durationSeconds } = await diarizer.diarize(enginePage.chosenFile(), options);
      return { ok: true, turns, durationSeconds };
    } catch (error) {
      return { ok: false, message: errorLine(error) };
    }
  },

  /** Name of the WebGPU adapter if it computes on the processor; null for a GPU, and if there is no adapter. */
  async softwareAdapter(): Promise<string | null> {
    const adapter = await requestAdapter();
    if (!adapter) return null;
    return isSoftware(adapter) ? adapterName(adapter) : null;
  },

  /** Diarizes the selected file. Calls `globalThis.sayStage` if it is defined. */
  async diarizeFile(request: FileRequest): Promise<FileOutcome> {
    try {
      if (!diarizer) throw new Error('call open() first');
      const { sayStage } = globalThis as { sayStage?: (stage: string, completed: number) => void };
      const result = await diarizer.diarize(enginePage.chosenFile(), {
        ...request.options,
        ...(sayStage && { onProgress: ({ stage, completed, total }) => { sayStage(stage, completed / total); } }),
      });
      return outcomeOf(result, request);
    } catch (error) {
      return { ok: false, error: partsOf(error) ?? { code: 'worker-failed', problem: messageOf(error) } };
    }
  },
};

declare global {
   
  var voxlane: EnginePage;
}

export type EnginePage = typeof enginePage;

globalThis.voxlane = enginePage;
