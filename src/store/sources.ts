import * as v from 'valibot';
import { addressIn, type FileBase } from '../util/fileBase.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.nonEmpty());

/** Where a model hub keeps a file. A commit, not a branch: the bytes are pinned, so that a moved branch can only fail. */
const hubSchema = v.object({
  repository: v.pipe(v.string(), v.regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name')),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'must be a commit of 40 hex digits')),
  /** Path in the repository. */
  file: v.pipe(text, v.regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))/, 'must be a path in the repository')),
});

const acceptedFileSchema = v.object({
  /** Without folders; also its name where a model is self-hosted. */
  name: v.pipe(v.string(), v.regex(/^(?!\.)[^/\\]+$/, 'must be a file name without folders')),
  bytes: count,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
  /** SPDX identifier. */
  license: text,
  /** It lies beside the manifest. */
  bundled: v.exactOptional(v.boolean()),
  /** Absent where the file is known only by its hash, and comes from the user or a self-hosted folder. */
  hub: v.exactOptional(hubSchema),
});

const distinct = <Entry>(entries: readonly Entry[], key: (entry: Entry) => string): boolean =>
  new Set(entries.map(key)).size === entries.length;

/** Schema of a manifest's `sources`: files that are accepted as this model, preferred first, told apart by their hash. */
export const sourcesSchema = v.pipe(
  v.array(acceptedFileSchema),
  v.minLength(1),
  v.check((files) => distinct(files, ({ sha256 }) => sha256), 'must not name a hash twice'),
  v.check((files) => distinct(files, ({ name }) => name), 'must not name a file twice'),
);

/** A file that is accepted as a model, and where it may come from. */
export type AcceptedFile = v.InferOutput<typeof acceptedFileSchema>;
/** At least one; preferred first. */
export type Sources = v.InferOutput<typeof sourcesSchema>;

/** The public hub. */
export const PUBLIC_HUB = 'https://huggingface.co/';

/** Where models are served. */
export interface ModelPlaces {
  /** Holds `<id>/<file>` of what is bundled, and of all models where `hub` is null. */
  readonly base: FileBase;
  /** Address of a hub with a slash at its end, {@link PUBLIC_HUB} unless given. Null is self-hosting: only `base` is asked. */
  readonly hub?: string | null;
}

/** Address that `file` of the model `id` is fetched from; null where it has none and only the user can bring it. */
export function addressOf(id: string, file: AcceptedFile, { base, hub = PUBLIC_HUB }: ModelPlaces): string | null {
  if (file.bundled === true || hub === null) {
    return addressIn(base, typeof base === 'string' ? `${encodeURIComponent(id)}/${encodeURIComponent(file.name)}` : `${id}/${file.name}`);
  }
  if (!file.hub) return null;
  const path = file.hub.file.split('/').map(encodeURIComponent).join('/');
  return new URL(`${file.hub.repository}/resolve/${file.hub.revision}/${path}`, hub).href;
}

/** The accepted file with this hash; null where it is none of them. */
export function acceptedFile(sources: Sources, sha256: string): AcceptedFile | null {
  return sources.find((file) => file.sha256 === sha256) ?? null;
}

/** Sources of a model whose manifest has no `sources`: the one file beside it. */
export function bundledSources({ file, license }: BundledInfo): Sources {
  return [{ ...file, license, bundled: true }];
}

/** The part of a manifest that says which file lies beside it. */
export interface BundledInfo {
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly license: string;
}
