/** Names for error messages: codecs, and kinds of unsupported files. */
import { hasText, readBytes } from './containers/byteReader';

/** By mediabunny's codec name, MP4 sample entry, or Matroska codec id, in lowercase. */
const CODEC_NAMES: Readonly<Record<string, string>> = {
  aac: 'AAC',
  mp3: 'MP3',
  flac: 'FLAC',
  opus: 'Opus',
  vorbis: 'Vorbis',
  ac3: 'AC-3 (Dolby Digital)',
  'ac-3': 'AC-3 (Dolby Digital)',
  a_ac3: 'AC-3 (Dolby Digital)',
  eac3: 'E-AC-3 (Dolby Digital Plus)',
  'ec-3': 'E-AC-3 (Dolby Digital Plus)',
  a_eac3: 'E-AC-3 (Dolby Digital Plus)',
  dts: 'DTS',
  dtsc: 'DTS',
  a_dts: 'DTS',
  a_truehd: 'Dolby TrueHD',
  alac: 'ALAC (Apple Lossless)',
  a_alac: 'ALAC (Apple Lossless)',
  samr: 'AMR (narrowband)',
  sawb: 'AMR-WB',
  qclp: 'QCELP',
  ima4: 'IMA ADPCM',
  'ms\u0000\u0011': 'IMA ADPCM',
  wma2: 'WMA',
  'a_ms/acm': 'a Windows codec (ACM)',
  a_wavpack4: 'WavPack',
  a_tta1: 'TTA (True Audio)',
  'a_mpeg/l2': 'MP2',
  'a_mpeg/l1': 'MP1',
};

/** Format tags of WAV (RFC 2361). */
const WAV_NAMES: Readonly<Record<number, string>> = {
  0x02: 'Microsoft ADPCM',
  0x11: 'IMA ADPCM',
  0x14: 'G.723 ADPCM',
  0x31: 'GSM 6.10',
  0x42: 'G.723.1',
  0x45: 'G.726 ADPCM',
  0x50: 'MP2',
  0x55: 'MP3',
  0x64: 'G.726 ADPCM',
  0x83: 'G.729',
  0xff: 'AAC',
  0x160: 'WMA',
  0x161: 'WMA',
  0x162: 'WMA Pro',
  0x163: 'WMA Lossless',
  0x2000: 'AC-3 (Dolby Digital)',
  0x2001: 'DTS',
  0xa109: 'Speex',
};

/** First bytes of unsupported file kinds. */
const FILE_STARTS: readonly (readonly [offset: number, text: string, name: string])[] = [
  [0, '#!AMR', 'AMR'],
  [8, 'AIFF', 'AIFF'],
  [8, 'AIFC', 'AIFF'],
  [0, 'caff', 'CAF'],
  [0, '.snd', 'AU'],
  [0, 'riff.\u0091\u00cf\u0011', 'Wave64 (W64)'],
  [0, '\u000bw', 'AC-3 (Dolby Digital)'],
  [0, '\u007f\u00fe\u0080\u0001', 'DTS'],
  [0, 'TTA1', 'TTA (True Audio)'],
  [0, 'Creative Voice F', 'Creative Voice (VOC)'],
  [0, 'DSD ', 'DSD'],
  [0, 'FRM8', 'DSD'],
  [0, 'MPCK', 'Musepack'],
  [0, 'MP+', 'Musepack'],
  [0, '.ra\u00fd', 'RealAudio'],
  [0, 'nut/multimedia c', 'NUT'],
  [0, '\u0006\u000e+4', 'MXF'],
  [0, 'wvpk', 'WavPack'],
  [0, 'MAC ', "Monkey's Audio"],
  [8, 'AVI ', 'AVI'],
  [0, '0&\u00b2u', 'Windows Media (ASF)'],
  [0, 'FLV', 'Flash video (FLV)'],
  [0, '.RMF', 'RealMedia'],
  [0, 'MThd', 'MIDI, which contains notes instead of audio'],
  [0, '#EXTM3U', 'a playlist'],
  [1, 'PNG', 'a picture (PNG)'],
  [0, '\u00ff\u00d8\u00ff', 'a picture (JPEG)'],
  [0, '%PDF', 'a PDF document'],
  [0, 'PK\u0003\u0004', 'a ZIP archive'],
  [0, '\u001f\u008b', 'a gzip archive'],
];
/** Start of a pack header of an MPEG program stream. */
const PROGRAM_STREAM = '\u0000\u0000\u0001\u00ba';

/**
 * Name of a codec within a sentence.
 *
 * @param id the container's codec id, if there is one
 */
export function codecName(codec: string | null, id: string | number | Uint8Array | null): string {
  const found = [codec, id].find((name) => typeof name === 'string' && Object.hasOwn(CODEC_NAMES, name.toLowerCase()));
  if (typeof found === 'string') return CODEC_NAMES[found.toLowerCase()]!;
  return codec ?? (typeof id === 'string' && id !== '' ? `the codec "${id}"` : 'an unknown codec');
}

/** Name of a WAV format tag; null if it is unknown. */
export function wavFormatName(tag: number): string | null {
  return Object.hasOwn(WAV_NAMES, tag) ? WAV_NAMES[tag]! : null;
}

/** Kind of a file by its first bytes; null if it is unknown. */
export async function fileKindName(source: Blob): Promise<string | null> {
  const view = await readBytes(source, 0, 16);
  const bytes = new Uint8Array(view.buffer);
  if (hasText(bytes, 0, PROGRAM_STREAM)) return 'an MPEG program stream (MPG, VOB)';
  return FILE_STARTS.find(([offset, text]) => hasText(bytes, offset, text))?.[2] ?? null;
}

/**
 * Whether a file is an MPEG program stream (MPG, VOB). Decoders search it for MP3 or MP2 frames and decode the
 * headers between them as audio.
 */
export async function isProgramStream(source: Blob): Promise<boolean> {
  return hasText(new Uint8Array((await readBytes(source, 0, PROGRAM_STREAM.length)).buffer), 0, PROGRAM_STREAM);
}
