import { transfer } from 'comlink';
import type { DecodeSource } from '../../workers/contracts';
import { moved } from '../../workers/protocol';
import type { spawnDecodeWorker } from '../../workers/spawn';
import { unreadable } from '../audio/containers/byteReader';
import { decodeInstead } from '../audio/pageDecode';
import type { AudioFile, AudioInfo } from '../audio/types';
import type { WindowGeometry } from '../audio/windows';
import { shareable } from '../util/host';
import type { CheckedRunOptions } from './options';
import type { ReadyInput } from './source';

type DecodeHandle = ReturnType<typeof spawnDecodeWorker>;

/** What the models need. */
interface Opening {
  /** Null for a model that reads samples. */
  readonly windows: WindowGeometry | null;
  /** Rate in Hz to which the recording is resampled. */
  readonly sampleRate: number;
  /** Keep the samples of a stream until the run ends, for a second reading. */
  readonly keepsStream: boolean;
  /** Pass each piece of a stream on as it arrives, instead of about a second of them. */
  readonly isLive: boolean;
}

/**
 * Opens a recording in the decoding worker.
 *
 * @returns facts of the recording; `release` deletes what another decoder has stored for it
 * @throws VoxlaneError `audio-*`, `options`
 */
export async function openInput(
  decode: DecodeHandle,
  input: ReadyInput,
  options: CheckedRunOptions,
  { windows, sampleRate, keepsStream, isLive }: Opening,
): Promise<{ readonly facts: AudioInfo; readonly release: () => void }> {
  const { startSeconds, durationSeconds, track } = options;
  const decodeOptions = {
    sampleRate,
    startSeconds,
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(track !== undefined && { track }),
  };
  const { source, release } = await decodeSource(decode, input, { track, keepsStream, isLive });
  try {
    const facts = await decode.call((api) => api.open(source, decodeOptions, windows && { windowSamples: windows.windowSamples, hopSamples: windows.hopSamples }));
    return { facts, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** A source for the decoding worker. `release` deletes what another decoder has stored for it. */
interface OpenedSource {
  readonly source: DecodeSource;
  readonly release: () => void;
}

const nothing = (): void => undefined;

interface SourceOptions extends Pick<Opening, 'keepsStream' | 'isLive'> {
  readonly track: number | undefined;
}

async function decodeSource(decode: DecodeHandle, input: ReadyInput, { track, keepsStream, isLive }: SourceOptions): Promise<OpenedSource> {
  if (input.kind === 'file' || input.kind === 'path') return fileSource(decode, input, track);
  const { sampleRate } = input;
  if (input.kind === 'samples') return { source: { kind: 'samples', samples: input.samples, sampleRate }, release: nothing };
  const port = input.feed.open(keepsStream, isLive);
  return { source: transfer({ kind: 'stream', port, sampleRate }, [port]), release: nothing };
}

async function fileSource(decode: DecodeHandle, file: AudioFile, track: number | undefined): Promise<OpenedSource> {
  const shared = file.kind === 'file' ? { ...file, blob: await shareable(file.blob, (cause) => unreadable(0, cause)) } : file;
  const place = await decode.call((api) => api.decoderFor(shared, track));
  // The other decoders always read the first track.
  if (place === 'here' || (track ?? 1) > 1) return { source: shared, release: nothing };
  const decoded = await decodeInstead(shared, place);
  if (!decoded) return { source: shared, release: nothing };
  const { source, release } = decoded;
  // Transfer the decoded audio: copying an hour would take a second.
  return { source: source.kind === 'channels' ? moved(source, ...source.channels) : source, release };
}
