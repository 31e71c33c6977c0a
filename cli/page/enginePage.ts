/**
 * The library on a page without a user interface, for the command line, the benchmarks and the tests.
 * The page's file input passes files, which stream from disk.
 */
import { MENTIONED_SCORE } from '../../src/engine/speakerCount';
import { engineCompare } from './engineCompare';
import { measurePooled } from './enginePooled';
import { engineProfile } from './engineProfile';
import type { RunOptions } from '../diarizeOptions';
import { toJson } from '../../src/formats/json';
import { toRttm } from '../../src/formats/rttm';
import { cluster, deleteStoredModel, diarize, Diarizer, embed, fbank, presetInfo, Reclusterer, releaseStages, score, segment, storedModels, VoxlaneError, type DiarizationResult, type DiarizeOptions, type DiarizerOptions, type SpeakerCount } from '../../src/index';
import { errorLine } from '../errorLine';
import { plainVoices, type PlainVoices } from './plainVoices';

/** Request of {@link EnginePage.diarizeFile}; plain data, because it comes from another process. */
export interface FileRequest {
  readonly file: string;
  /** Name of the recording in RTTM. */
  readonly uri: string;
  readonly format: 'rttm' | 'json';
  readonly exclusive: boolean;
  readonly options: RunOptions;
}

/** The requested document with a readable summary, or an error. */
export type FileOutcome =
  | {
      readonly ok: true;
      readonly text: string;
      readonly summary: string;
      /** Notes about repaired, skipped or omitted parts of the file. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/** The model outputs for a file, or an error. */
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

  /** Loads the models for {@link EnginePage.diarizeFile}. Returns null on success, else the error message. */
  async open(options: DiarizerOptions): Promise<string | null> {
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
      return errorLine(error);
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

  /** Diarizes the selected file. Calls `globalThis.sayProgress` if it is defined. */
  async diarizeFile({ file, uri, format, exclusive, options }: FileRequest): Promise<FileOutcome> {
    try {
      if (!diarizer) throw new Error('call open() first');
      const { sayProgress } = globalThis as { sayProgress?: NonNullable<DiarizeOptions['onProgress']> };
      const start = performance.now();
      const result = await diarizer.diarize(enginePage.chosenFile(), {
        ...options,
        ...(sayProgress && { onProgress: sayProgress }),
      });
      const seconds = (performance.now() - start) / 1000;
      const turns = exclusive ? result.exclusiveTurns : result.turns;
      const text = format === 'json' ? toJson(file, result) : toRttm(turns, uri);
      return { ok: true, text, summary: summarize(result, seconds), notes: result.notes.map((note) => note.text) };
    } catch (error) {
      return { ok: false, message: errorLine(error) };
    }
  },
};

function summarize(result: DiarizationResult, seconds: number): string {
  const { speakers, speakerCount, turns, durationSeconds, backend, preset, speed, modelNote } = result;
  const place =
    backend.name === 'webgpu' ? `WebGPU on ${backend.adapter ?? 'no adapter'}` : `WASM, ${backend.threads} threads`;
  return [
    `${speakers.length} speakers${likelyOthers(speakerCount)}, ${turns.length} turns in ${durationSeconds.toFixed(1)} s of audio`,
    `took ${seconds.toFixed(1)} s on ${place} (${backend.reason})`,
    `preset ${preset}, ${speed}`,
    ...(modelNote === null ? [] : [modelNote]),
    ...(speakerCount.unmet ? [unmetBounds(speakerCount)] : []),
  ].join('; ');
}

function likelyOthers({ alternatives: [next] }: SpeakerCount): string {
  return next && next.score >= MENTIONED_SCORE ? ` (possibly ${next.value})` : '';
}

function unmetBounds({ value, unmet }: SpeakerCount): string {
  const { minSpeakers = null, maxSpeakers = null } = unmet ?? {};
  const asked = minSpeakers === maxSpeakers ? String(minSpeakers) : minSpeakers !== null ? `at least ${minSpeakers}` : `at most ${maxSpeakers}`;
  return `requested ${asked} speakers, found ${value}`;
}

declare global {
   
  var voxlane: EnginePage;
}

export type EnginePage = typeof enginePage;

globalThis.voxlane = enginePage;
