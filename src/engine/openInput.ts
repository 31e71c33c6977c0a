import { expose, transfer } from 'comlink';
import type { DecodeSource, SecondDecoder } from '../../workers/contracts';
import { moved } from '../../workers/protocol';
import type { spawnDecodeWorker } from '../../workers/spawn';
import { unreadable } from '../audio/containers/byteReader';
import { decodeInstead } from '../audio/pageDecode';
import type { AudioFile, AudioInfo, DecodedFile } from '../audio/types';
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
 * @returns facts of the recording; `release` deletes what another decoder has stored for it, and must be called after the last
 *   sample
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
  const { source, release, second } = await decodeSource(decode, input, { track, keepsStream, isLive });
  try {
    const facts = await decode.call((api) => api.open(source, decodeOptions, windows && { windowSamples: windows.windowSamples, hopSamples: windows.hopSamples }, second && transfer(second, [second])));
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
  /** Port of a {@link SecondDecoder}; null if no other decoder can read the source. */
  readonly second: MessagePort | null;
}

const nothing = (): void => undefined;

interface SourceOptions extends Pick<Opening, 'keepsStream' | 'isLive'> {
  readonly track: number | undefined;
}

async function decodeSource(decode: DecodeHandle, input: ReadyInput, { track, keepsStream, isLive }: SourceOptions): Promise<OpenedSource> {
  if (input.kind === 'file' || input.kind === 'path') return fileSource(decode, input, track);
  const { sampleRate } = input;
  if (input.kind === 'samples') return { source: { kind: 'samples', samples: input.samples, sampleRate }, release: nothing, second: null };
  const port = input.feed.open(keepsStream, isLive);
  return { source: transfer({ kind: 'stream', port, sampleRate }, [port]), release: nothing, second: null };
}

async function fileSource(decode: DecodeHandle, file: AudioFile, track: number | undefined): Promise<OpenedSource> {
  const shared = file.kind === 'file' ? { ...file, blob: await shareable(file.blob, (cause) => unreadable(0, cause)) } : file;
  const place = await decode.call((api) => api.decoderFor(shared, track));
  // The other decoders always read the first track.
  const isFirst = (track ?? 1) === 1;
  if (place === 'here' && isFirst) return withSecondDecoder(shared);
  const decoded = place !== 'here' && isFirst ? await decodeInstead(shared, place) : null;
  if (!decoded) return { source: shared, release: nothing, second: null };
  return { source: sent(decoded), release: decoded.release, second: null };
}

/** A file that the worker decodes, and that another decoder decodes if that fails. */
function withSecondDecoder(file: AudioFile): OpenedSource {
  let releaseDecoded = nothing;
  const decodeAgain: SecondDecoder = async () => {
    // `unknown`: the result has a note, because the other decoders do not report damage.
    const decoded = await decodeInstead(file, 'unknown').catch(() => null);
    if (!decoded) return null;
    releaseDecoded = decoded.release;
    return sent(decoded);
  };
  const { port1, port2 } = new MessageChannel();
  expose(decodeAgain, port1);
  // An open port would keep a process of Node alive.
  const release = (): void => {
    port1.close();
    releaseDecoded();
  };
  return { source: file, release, second: port2 };
}

/** Transfers decoded audio: copying an hour would take a second. */
const sent = ({ source }: DecodedFile): DecodedFile['source'] => (source.kind === 'channels' ? moved(source, ...source.channels) : source);
