/** Builds joined or damaged recordings from the fixtures without re-encoding. */
import { readFileSync } from 'node:fs';
import {
  AdtsOutputFormat,
  ALL_FORMATS,
  BlobSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  Input,
  MkvOutputFormat,
  Mp3OutputFormat,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  OggOutputFormat,
  Output,
  WebMOutputFormat,
  type OutputFormat,
} from 'mediabunny';

const FIXTURES = new URL('../../e2e/fixtures/', import.meta.url);

/** Fixture and muxer for clips of each container. */
const CONTAINERS = {
  mp3: ['sample.mp3', () => new Mp3OutputFormat({ xingHeader: false })],
  adts: ['sample.m4a', () => new AdtsOutputFormat()],
  'ogg-opus': ['sample.webm', () => new OggOutputFormat()],
  'ogg-vorbis': ['sample.ogg', () => new OggOutputFormat()],
  webm: ['sample.webm', () => new WebMOutputFormat()],
  matroska: ['sample.m4a', () => new MkvOutputFormat()],
  'mpeg-ts': ['sample.m4a', () => new MpegTsOutputFormat()],
  mp4: ['sample.m4a', () => new Mp4OutputFormat({ fastStart: 'in-memory' })],
  'mp4-fragments': ['sample.m4a', () => new Mp4OutputFormat({ fastStart: 'fragmented' })],
} as const satisfies Record<string, readonly [string, () => OutputFormat]>;

export type ClipContainer = keyof typeof CONTAINERS;

/** A file with a segment of the sample. */
export interface Clip {
  readonly file: Blob;
  /** Total duration of its packets. */
  readonly seconds: number;
}

/** An unmodified fixture. */
export function fixture(name: string): Blob {
  return new Blob([readFileSync(new URL(name, FIXTURES))]);
}

/** A clip of the sample, cut at packet boundaries, with timestamps starting at 0. */
export async function clipOf(container: ClipContainer, fromSeconds: number, toSeconds: number): Promise<Clip> {
  const [name, format] = CONTAINERS[container];
  const input = new Input({ source: new BlobSource(fixture(name)), formats: ALL_FORMATS });
  const track = (await input.getPrimaryAudioTrack())!;
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  const target = new BufferTarget();
  const output = new Output({ format: format(), target });
  const source = new EncodedAudioPacketSource(codec!);
  output.addAudioTrack(source);
  await output.start();
  let start: number | null = null;
  let end = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    if (packet.timestamp < fromSeconds) continue;
    if (packet.timestamp >= toSeconds) break;
    start ??= packet.timestamp;
    end = packet.timestamp + packet.duration;
    await source.add(packet.clone({ timestamp: packet.timestamp - start }), { decoderConfig: decoderConfig! });
  }
  await output.finalize();
  input.dispose();
  return { file: new Blob([target.buffer!]), seconds: end - (start ?? 0) };
}

/** An Ogg file with two tracks: Opus and Vorbis. */
export async function oggOfTwoTracks(): Promise<Blob> {
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const copies: (() => Promise<void>)[] = [];
  for (const container of ['ogg-opus', 'ogg-vorbis'] as const) {
    const input = new Input({ source: new BlobSource((await clipOf(container, 7, 9)).file), formats: ALL_FORMATS });
    const track = (await input.getPrimaryAudioTrack())!;
    const source = new EncodedAudioPacketSource((await track.getCodec())!);
    const decoderConfig = (await track.getDecoderConfig())!;
    output.addAudioTrack(source);
    copies.push(async () => {
      for await (const packet of new EncodedPacketSink(track).packets()) await source.add(packet, { decoderConfig });
      source.close();
      input.dispose();
    });
  }
  await output.start();
  await Promise.all(copies.map((copy) => copy()));
  await output.finalize();
  return new Blob([target.buffer!]);
}

/** Deterministic bytes without audio or frame headers. */
export function foreignBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + 11) % 251);
}

/** An ID3v2 tag of this size. */
export function id3Tag(contentBytes: number): Uint8Array<ArrayBuffer> {
  const tag = new Uint8Array(10 + contentBytes).fill(0x20, 10);
  tag.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, contentBytes >> 7, contentBytes & 0x7f]);
  return tag;
}

/** The pages of an Ogg file. */
export async function oggPages(file: Blob): Promise<Uint8Array<ArrayBuffer>[]> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const pages: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += pages.at(-1)!.length) {
    const lacing = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    pages.push(bytes.slice(at, at + 27 + lacing.length + lacing.reduce((sum, value) => sum + value, 0)));
  }
  return pages;
}
