/** Decodes the audio for a single stage like a full run does. */
import { decodeInstead } from '../../src/audio/pageDecode';
import type { AudioFile, DecodedFile, DecodeOptions } from '../../src/audio/types';
import { VoxlaneError } from '../../src/util/errors';
import { moved } from '../../workers/protocol';
import { spawnDecodeWorker } from '../../workers/spawn';

/** A segment of a recording. */
interface StageSound {
  /** Axes (sample), mono. */
  readonly samples: Float32Array;
  /** Notes about repaired, skipped or omitted parts. */
  readonly notes: readonly string[];
}

/** @throws VoxlaneError `audio-*`, `options` */
export async function stageSound(file: AudioFile, options: DecodeOptions): Promise<StageSound> {
  const worker = spawnDecodeWorker();
  let decoded: DecodedFile | null = null;
  try {
    const place = await worker.call((api) => api.decoderFor(file));
    if (place !== 'here') decoded = await decodeInstead(file, place);
    const source = decoded?.source ?? file;
    const sent = source.kind === 'channels' ? moved(source, ...source.channels) : source;
    const samples = await worker.call((api) => api.decodeAll(sent, options));
    return { samples, notes: (await worker.call((api) => api.notes())).map(({ text }) => text) };
  } finally {
    decoded?.release();
    worker.terminate(new VoxlaneError({ code: 'disposed', problem: 'The recording was closed' }));
  }
}
