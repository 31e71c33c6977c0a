/**
 * sherpa-onnx's WASM build in a separate process started by `sherpa.ts`: its calls block, and it exits the process if a
 * model is invalid.
 */
import { openAsBlob } from 'node:fs';
import sherpaOnnx, { type OfflineSpeakerDiarization } from 'sherpa-onnx';
import { decodeAll, openAudio } from '../../src/audio/decode';
import { messageOf } from '../../src/util/errors';
import type { SherpaModels } from './sherpaModels';
import type { SystemRun } from './system';

export type SherpaRequest =
  | { readonly kind: 'open'; readonly models: SherpaModels }
  /** `durationSeconds`: length of the processed part from the start; null for the whole file. */
  | { readonly kind: 'diarize'; readonly file: string; readonly durationSeconds: number | null };

/** For `diarize`, the run; for `open`, null. */
export type SherpaReply =
  | { readonly ok: true; readonly run: SystemRun | null }
  | { readonly ok: false; readonly message: string };

let peer: { readonly diarizer: OfflineSpeakerDiarization; readonly sampleRate: number } | undefined;

/**
 * Settings not determined by the models use sherpa-onnx's defaults: complete linkage over cosine distances up to 0.5, an
 * automatic number of speakers, turns of over 0.3 s, gaps of up to 0.5 s closed. Its WASM build has one thread.
 */
function open({ segmentation, embedding, sampleRate, windowShiftRatio }: SherpaModels): void {
  const diarizer = sherpaOnnx.createOfflineSpeakerDiarization({
    segmentation: { pyannote: { model: segmentation, windowShiftRatio } },
    embedding: { model: embedding },
    clustering: { numClusters: -1, threshold: 0.5 },
    minDurationOn: 0.3,
    minDurationOff: 0.5,
  });
  if (diarizer.handle === 0) throw new Error('sherpa-onnx could not open the models.');
  peer = { diarizer, sampleRate };
}

/** The time excludes loading and decoding. */
async function diarize(file: string, durationSeconds: number | null): Promise<SystemRun> {
  if (!peer) throw new Error('call open() first');
  const { diarizer, sampleRate } = peer;
  const samples = await readSamples(file, sampleRate, durationSeconds);
  const start = performance.now();
  const segments = diarizer.process(samples);
  const wallSeconds = (performance.now() - start) / 1000;
  const turns = segments.map((segment) => ({
    startSeconds: segment.start,
    endSeconds: segment.end,
    speaker: `SPEAKER_${String(segment.speaker).padStart(2, '0')}`,
  }));
  return { wallSeconds, durationSeconds: samples.length / sampleRate, turns, threads: 1 };
}

/** Decodes samples with Voxlane's decoder, axes (sample), because sherpa-onnx supports fewer file formats. */
async function readSamples(file: string, sampleRate: number, durationSeconds: number | null): Promise<Float32Array> {
  const segment = durationSeconds === null ? {} : { durationSeconds };
  return decodeAll(await openAudio(await openAsBlob(file), { sampleRate, ...segment }));
}

async function answer(request: SherpaRequest): Promise<SherpaReply> {
  try {
    if (request.kind === 'diarize') return { ok: true, run: await diarize(request.file, request.durationSeconds) };
    open(request.models);
    return { ok: true, run: null };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

process.on('message', (request: SherpaRequest) => void answer(request).then((reply) => process.send!(reply)));
