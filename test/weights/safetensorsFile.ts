/** Builds a `.safetensors` file from a header (object or text) and a body. */
export function buildSafetensors(header: object | string, body: Uint8Array, claimedLength?: bigint): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + body.length);
  new DataView(file.buffer).setBigUint64(0, claimedLength ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(body, 8 + text.length);
  return file;
}

/** A tensor to write. */
export interface TensorToWrite {
  /** Default `F32`. */
  readonly dtype?: string;
  readonly shape: readonly number[];
  /** As in the file. */
  readonly data: ArrayBufferView;
}

/** Builds a `.safetensors` file of tensors that follow each other. */
export function buildWeights(tensors: Readonly<Record<string, TensorToWrite>>, metadata?: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const members: string[] = metadata ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let end = 0;
  for (const [name, { dtype = 'F32', shape, data }] of Object.entries(tensors)) {
    const start = end;
    end += data.byteLength;
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, end] })}`);
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return buildSafetensors(`{${members.join(',')}}`, Buffer.concat(parts));
}
