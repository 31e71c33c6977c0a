/** Opens files with mediabunny, and finds where their tracks can be decoded. */
import {
  ADTS,
  EncodedPacketSink,
  FLAC,
  Input,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  PCM_AUDIO_CODECS,
  QTFF,
  WEBM,
  type InputAudioTrack,
} from 'mediabunny';
import { VoxlaneError } from '../util/errors';
import { isProgramStream } from './codecNames';
import { decoderTrust } from './decoderTrust';
import type { DecoderPlace } from './decodeTypes';
import { guardedSource } from './guardedSource';
import { unsupported } from './mediaErrors';
import { probeDecoder } from './probeDecoder';

/**
 * All of mediabunny's formats but WAV, which is read by `wav.ts`, and HLS: a playlist names files elsewhere, and
 * nothing here may go to the network.
 */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, OGG, MP3, FLAC, ADTS, MPEG_TS];

/** The caller disposes of it. */
export function openInput(source: Blob): Input {
  return new Input({ source: guardedSource(source), formats: FORMATS });
}

/** @throws VoxlaneError `audio-unsupported`, `options` */
export async function findTrack(input: Input, number: number | undefined): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw unsupported('The file is not of a kind that can be read');
  const primary = await input.getPrimaryAudioTrack();
  if (!primary) throw unsupported('The file has no audio track');
  if (number === undefined) return primary;
  const tracks = await input.getAudioTracks();
  const track = tracks[number - 1];
  if (track) return track;
  throw new VoxlaneError({
    code: 'options',
    problem: `The option track is ${number}, but the file has ${tracks.length} audio track${tracks.length === 1 ? '' : 's'}`,
    expected: tracks.length === 1 ? '1, or no track' : `a number from 1 to ${tracks.length}`,
    remedy: 'Change the option and run again',
  });
}

/** Where to decode a file other than WAV. */
export async function decoderPlace(source: Blob, track: number | undefined): Promise<DecoderPlace> {
  if (await isProgramStream(source)) return 'here';
  const input = openInput(source);
  try {
    const found = await findTrack(input, track);
    if ((await found.getCodec()) === null) return 'unknown';
    return (await hasDecoder(found)) ? 'here' : 'page';
  } catch {
    return 'unknown';
  } finally {
    input.dispose();
  }
}

/** Whether this thread has a decoder for the track. If the browser's claim is not verified, some packets are decoded first. */
export async function hasDecoder(track: InputAudioTrack): Promise<boolean> {
  if (!(await track.canDecode())) return false;
  const codec = await track.getCodec();
  // mediabunny reads PCM itself, without WebCodecs.
  if (PCM_AUDIO_CODECS.some((name) => name === codec)) return true;
  const trust = decoderTrust(navigator.userAgent, await track.getNumberOfChannels());
  if (trust !== 'probe') return trust === 'verified';
  const config = await track.getDecoderConfig();
  if (!config) return false;
  const key = `${config.codec} ${config.sampleRate} ${config.numberOfChannels}`;
  if (!probedDecoders.has(key) && (await probeDecoder(config, encodedChunks(track)))) probedDecoders.add(key);
  return probedDecoders.has(key);
}

/** Decoders that have given sound in this thread. Each file is asked about twice: before and when it is opened. */
const probedDecoders = new Set<string>();

async function* encodedChunks(track: InputAudioTrack): AsyncGenerator<EncodedAudioChunk, void, undefined> {
  for await (const packet of new EncodedPacketSink(track).packets()) yield packet.toEncodedAudioChunk();
}

/** Sample rate that the container gives for its sound; null if it gives none. Decodes nothing. */
export async function containerSampleRate(source: Blob): Promise<number | null> {
  const input = openInput(source);
  try {
    return await (await findTrack(input, undefined)).getSampleRate();
  } catch {
    return null;
  } finally {
    input.dispose();
  }
}
