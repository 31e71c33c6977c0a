/** Options of {@link buildWav}, including wrong values for all header fields. */
export interface WavOptions {
  readonly sampleRate?: number;
  /** Default: int16. */
  readonly format?: 'int8' | 'int16' | 'int24' | 'int32' | 'float32' | 'float64' | 'a-law' | 'mu-law';
  /** `WAVE_FORMAT_EXTENSIBLE` with the format in a GUID. */
  readonly extensible?: boolean;
  /** Overrides the channel count in the header. */
  readonly declaredChannels?: number;
  /** Overrides the size of the data chunk in the header. */
  readonly declaredDataBytes?: number;
  /** Overrides the size of the RIFF chunk in the header. */
  readonly declaredRiffBytes?: number;
  /** Overrides the format tag in the header. */
  readonly declaredTag?: number;
  /** Chunks between the format and the samples. */
  readonly extraChunks?: readonly { readonly name: string; readonly bytes: number }[];
}

const FORMATS = {
  int8: { tag: 1, bytes: 1 },
  int16: { tag: 1, bytes: 2 },
  int24: { tag: 1, bytes: 3 },
  int32: { tag: 1, bytes: 4 },
  float32: { tag: 3, bytes: 4 },
  float64: { tag: 3, bytes: 8 },
  'a-law': { tag: 6, bytes: 1 },
  'mu-law': { tag: 7, bytes: 1 },
} as const;
const GUID_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/**
 * Builds a WAV file.
 *
 * @param channels axes (channel, sample), all of equal length. For integers, 1 is full scale, and values are
 *   rounded and clipped. For A-law and mu-law, the values are the codes, 0 to 255.
 */
export function buildWav(channels: readonly ArrayLike<number>[], options: WavOptions = {}): Blob {
  const { sampleRate = 16_000, format = 'int16', extensible = false, extraChunks = [] } = options;
  const { tag, bytes } = FORMATS[format];
  const numChannels = options.declaredChannels ?? channels.length;
  const data = encode(channels, format);

  const fmt = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  fmt.setUint16(0, extensible ? 0xfffe : (options.declaredTag ?? tag), true);
  fmt.setUint16(2, numChannels, true);
  fmt.setUint32(4, sampleRate, true);
  fmt.setUint32(8, sampleRate * numChannels * bytes, true);
  fmt.setUint16(12, numChannels * bytes, true);
  fmt.setUint16(14, bytes * 8, true);
  if (extensible) {
    fmt.setUint16(16, 22, true);
    fmt.setUint16(18, bytes * 8, true);
    fmt.setUint16(24, options.declaredTag ?? tag, true);
    GUID_TAIL.forEach((byte, i) => { fmt.setUint8(26 + i, byte); });
  }

  const body = [
    ...chunk('fmt ', fmt),
    ...extraChunks.flatMap(({ name, bytes: length }) => chunk(name, new DataView(new ArrayBuffer(length)))),
    ...chunk('data', data, options.declaredDataBytes),
  ];
  const size = body.reduce((sum, part) => sum + part.byteLength, 4);
  const head = new DataView(new ArrayBuffer(12));
  writeText(head, 0, 'RIFF');
  head.setUint32(4, options.declaredRiffBytes ?? size, true);
  writeText(head, 8, 'WAVE');
  return new Blob([head, ...body], { type: 'audio/wav' });
}

function encode(channels: readonly ArrayLike<number>[], format: keyof typeof FORMATS): DataView<ArrayBuffer> {
  const { bytes } = FORMATS[format];
  const length = channels[0]?.length ?? 0;
  const data = new DataView(new ArrayBuffer(length * channels.length * bytes));
  let at = 0;
  for (let i = 0; i < length; i++) {
    for (const channel of channels) {
      writeSample(data, at, channel[i] ?? 0, format);
      at += bytes;
    }
  }
  return data;
}

function writeSample(data: DataView, at: number, value: number, format: keyof typeof FORMATS): void {
  switch (format) {
    case 'float32':
      data.setFloat32(at, value, true);
      return;
    case 'float64':
      data.setFloat64(at, value, true);
      return;
    case 'a-law':
    case 'mu-law':
      data.setUint8(at, value);
      return;
    case 'int8':
      data.setUint8(at, toInteger(value, 8) + 0x80);
      return;
    case 'int16':
      data.setInt16(at, toInteger(value, 16), true);
      return;
    case 'int24': {
      const integer = toInteger(value, 24);
      data.setUint16(at, integer & 0xffff, true);
      data.setInt8(at + 2, integer >> 16);
      return;
    }
    case 'int32':
      data.setInt32(at, toInteger(value, 32), true);
      return;
  }
}

function toInteger(value: number, bits: number): number {
  const scale = 2 ** (bits - 1);
  return Math.max(-scale, Math.min(scale - 1, Math.round(value * scale)));
}

function chunk(name: string, content: DataView<ArrayBuffer>, declaredBytes?: number): DataView<ArrayBuffer>[] {
  const header = new DataView(new ArrayBuffer(8));
  writeText(header, 0, name);
  header.setUint32(4, declaredBytes ?? content.byteLength, true);
  const padding = content.byteLength % 2 === 1 ? [new DataView(new ArrayBuffer(1))] : [];
  return [header, content, ...padding];
}

function writeText(view: DataView, offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) view.setUint8(offset + i, text.charCodeAt(i));
}
