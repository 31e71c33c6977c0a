import * as v from 'valibot';

/** What is kept of one piece of work, each under a key of its own. */
export const PARTS = ['about', 'outcome', 'history', 'transcript', 'recording', 'voices', 'peaks'] as const;
export type Part = (typeof PARTS)[number];

/** Parts that can be done without, and that nearly all bytes are of. What comes first is dropped first. */
export const HEAVY_PARTS = ['recording', 'voices', 'peaks'] as const;
export type HeavyPart = (typeof HEAVY_PARTS)[number];

export const keyOf = (part: Part, id: string): string => `${part}/${id}`;

/** The id of which this is the key of `about`; null where it is another key. */
export function idOfAbout(key: string): string | null {
  return key.startsWith('about/') ? key.slice('about/'.length) : null;
}

const bytes = v.pipe(v.number(), v.minValue(0));

const aboutSchema = v.object({
  /** Of all records of this piece of work; another release may write another one. */
  version: v.literal(1),
  id: v.string(),
  name: v.string(),
  durationSeconds: v.pipe(v.number(), v.finite()),
  numSpeakers: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Milliseconds since 1970. */
  savedAt: v.number(),
  /** Changes with each save of corrections. Earlier releases did not write it. */
  revision: v.exactOptional(v.string()),
  /** Size of each part that is there. */
  sizes: v.object({
    outcome: bytes,
    history: bytes,
    transcript: v.exactOptional(bytes),
    recording: v.exactOptional(bytes),
    voices: v.exactOptional(bytes),
    peaks: v.exactOptional(bytes),
  }),
});

/** What is known of a piece of work without opening it. */
export type About = Readonly<v.InferOutput<typeof aboutSchema>>;

/** Null where there is none, or one that another release wrote or the storage damaged. */
export function aboutFrom(stored: unknown): About | null {
  return v.is(aboutSchema, stored) ? stored : null;
}

/** The revision of the corrections; empty if an earlier release saved them. */
export function revisionOf({ revision }: About): string {
  return revision ?? '';
}

export function bytesOf({ sizes }: About): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0);
}

/** About how many bytes a value takes that is stored as a structured clone. */
export function sizeOf(value: unknown): number {
  if (value instanceof Blob) return value.size;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), 0);
}
