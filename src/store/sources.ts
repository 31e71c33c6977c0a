import * as v from 'valibot';
import { addressIn, type FileBase } from '../util/fileBase.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());

/**
 * Location of a file on a model hub. The revision is a commit, because the bytes are pinned: after a branch moves, a
 * download could only fail.
 */
const hubSchema = v.object({
  repository: v.pipe(v.string(), v.regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name')),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'must be a commit of 40 hex digits')),
  /** Path in the repository. */
  file: v.pipe(text, v.regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))/, 'must be a path within the repository')),
});

export const acceptedFileSchema = v.object({
  /** Without folders; also the file name if the model is self-hosted. */
  name: v.pipe(v.string(), v.regex(/^(?!\.)[^/\\]+$/, 'must be a file name without folders')),
  bytes: count,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
  /** SPDX identifier. */
  license: text,
  /** The file is next to the manifest. */
  bundled: v.exactOptional(v.boolean()),
  /** Absent if the file is known only by its hash and comes from the user or a self-hosted folder. */
  hub: v.exactOptional(hubSchema),
});

const distinct = <Entry>(entries: readonly Entry[], key: (entry: Entry) => string): boolean =>
  new Set(entries.map(key)).size === entries.length;

/** Schema of a manifest's `sources`: files accepted as this model, preferred first, distinguished by their hash. */
export const sourcesSchema = v.pipe(
  v.array(acceptedFileSchema),
  v.minLength(1),
  v.check((files) => distinct(files, ({ sha256 }) => sha256), 'must not list a hash twice'),
  v.check((files) => distinct(files, ({ name }) => name), 'must not list a file twice'),
);

/** A file that is accepted as a model, and its possible sources. */
export type AcceptedFile = v.InferOutput<typeof acceptedFileSchema>;
/** At least one; preferred first. */
export type Sources = v.InferOutput<typeof sourcesSchema>;

/** The public hub. */
export const PUBLIC_HUB = 'https://huggingface.co/';

/** Addresses of the models. */
export interface ModelPlaces {
  /** Holds `<id>/<file>` of the bundled models, and of all models if `hub` is null. */
  readonly base: FileBase;
  /**
   * Address of a hub with a slash at its end; default {@link PUBLIC_HUB}. Null for self-hosting: only `base` is used.
   */
  readonly hub?: string | null;
}

/** Address of `file` of the model `id`; null if it has none and only the user can provide it. */
export function addressOf(id: string, file: AcceptedFile, { base, hub = PUBLIC_HUB }: ModelPlaces): string | null {
  if (file.bundled === true || hub === null) {
    return addressIn(base, typeof base === 'string' ? `${encodeURIComponent(id)}/${encodeURIComponent(file.name)}` : `${id}/${file.name}`);
  }
  if (!file.hub) return null;
  const path = file.hub.file.split('/').map(encodeURIComponent).join('/');
  return new URL(`${file.hub.repository}/resolve/${file.hub.revision}/${path}`, hub).href;
}

/** The accepted file with this hash; null if there is none. */
export function acceptedFile(sources: Sources, sha256: string): AcceptedFile | null {
  return sources.find((file) => file.sha256 === sha256) ?? null;
}

/** Sources of a model whose manifest has no `sources`: only the file next to it. */
export function bundledSources({ file, license }: BundledInfo): Sources {
  return [{ ...file, license, bundled: true }];
}

/** The part of a manifest that identifies the file next to it. */
interface BundledInfo {
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly license: string;
}
