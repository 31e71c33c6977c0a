import type { KeptVoices } from '../../src/index';

/** Serialized voices: arrays as base64, without the dendrogram, which can be recomputed. */
export type PlainVoices = Omit<KeptVoices, 'activity' | 'embeddings' | 'embedded' | 'dendrogram'> & {
  readonly activity: string;
  readonly embeddings: string;
  readonly embedded: string;
  readonly dendrogram: null;
};

export async function plainVoices({ activity, embeddings, embedded, ...voices }: KeptVoices): Promise<PlainVoices> {
  return {
    ...voices,
    activity: await base64(activity),
    embeddings: await base64(embeddings),
    embedded: await base64(embedded),
    dendrogram: null,
  };
}

function base64(bytes: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const address = reader.result as string;
      resolve(address.slice(address.indexOf(',') + 1));
    };
    reader.onerror = () => {
      reject(new Error('the voices could not be encoded'));
    };
    reader.readAsDataURL(new Blob([bytes]));
  });
}
