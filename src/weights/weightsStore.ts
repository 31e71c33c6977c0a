import { blobSource, type ByteSource } from '../store/byteSource';
import { BlobSink } from '../store/byteSink';
import { type Made, ModelCache } from '../store/cache';
import type { StoredModel } from '../store/cacheTools';
import { type HashOptions, hashSource } from '../store/hashSource';
import { cancelled } from '../store/load';
import { type GetModelOptions, type ModelFile, ModelStore, type ModelStoreTools, orWithNote, withBrowserLock, type WithLock } from '../store/modelStore';
import { acceptedFile, type Sources } from '../store/sources';
import { VoxlaneError } from '../util/errors';
import { bindWeights, type BoundWeights, checkValues, type WeightsProgress } from './bind';
import { convertedTensors, convertWeights, type WeightsForm } from './convert';
import type { ExpectedTensor } from './expected';
import { openSafetensors } from './safetensors';

/** Increased when a form changes, so that files of older releases are converted again. */
const FORM_VERSION = 1;

/** Progress of {@link WeightsStore.prepare}. */
export interface PrepareProgress extends WeightsProgress {
  /** `verify`: hashing a dropped or stored file; `download`; `convert`: checking and converting. */
  readonly step: 'verify' | 'download' | 'convert';
}

/** Options of {@link WeightsStore.prepare}. */
export interface PrepareOptions extends Omit<GetModelOptions, 'onProgress'> {
  /** Tensors of the graph. */
  readonly expected: readonly ExpectedTensor[];
  /** The form that the backend needs. */
  readonly form: WeightsForm;
  /** Deletes the stored original after its conversion is stored. Another form then needs another download. */
  readonly dropOriginal?: boolean;
  readonly onProgress?: ((progress: PrepareProgress) => void) | undefined;
}

/** Weights that are ready to be loaded. */
export interface PreparedWeights extends Pick<ModelFile, 'origin' | 'unknown' | 'stored' | 'note' | 'license' | 'sha256'> {
  /** All tensors of the graph in the wanted form. Their values are checked; every file was verified by its hash. */
  readonly weights: BoundWeights;
  /** Size of the original in bytes; null if only the converted file was opened. */
  readonly originalBytes: number | null;
  /** Size of the file in the wanted form. */
  readonly formBytes: number;
}

/** The file before its conversion. */
interface Original extends Pick<PreparedWeights, 'origin' | 'unknown' | 'license' | 'sha256' | 'note' | 'stored'> {
  readonly source: ByteSource;
  /** File name. */
  readonly file: string;
}

/** Provides weights in the form that a backend needs: converted once, then stored. */
export class WeightsStore {
  private readonly cache: ModelCache;
  private readonly models: ModelStore;
  private readonly withLock: WithLock;

  constructor(tools: Partial<ModelStoreTools> = {}) {
    this.cache = tools.cache ?? new ModelCache();
    this.models = new ModelStore({ ...tools, cache: this.cache });
    this.withLock = tools.withLock ?? withBrowserLock;
  }

  /**
   * Returns the weights of a graph in the wanted form: stored on an earlier visit, else converted from the dropped, stored
   * or downloaded original, and stored if possible. Original and conversion are read tensor by tensor.
   *
   * A file of unknown hash is returned with `unknown`, converted but not stored, unless `trustUnknown` is set: the caller
   * must check the outputs of the model first.
   *
   * @throws VoxlaneError `model-invalid` if a tensor is missing, left over, or has another type or shape or wrong values;
   *   `model-missing`, `model-altered`, `model-download`, `cancelled`
   */
  async prepare(id: string, sources: Sources, options: PrepareOptions): Promise<PreparedWeights> {
    if (options.signal?.aborted === true) throw cancelled();
    const work = async (): Promise<PreparedWeights> => {
      const dropped = options.dropped && (await this.openDropped(sources, options.dropped, options));
      const kept = await this.findConverted(id, sources, options, dropped?.sha256 ?? null);
      if (kept.prepared) return kept.prepared;
      const original = dropped ?? (await orWithNote(kept.note, () => this.openOriginal(id, sources, options)));
      return this.convert(id, { ...original, note: joined(kept.note, original.note) }, options);
    };
    // Two tabs would otherwise write the same pieces.
    return this.withLock(`voxlane-weights/${id}`, work, options.signal);
  }

  /** Deletes the stored original of a model, and keeps what was converted from it. */
  async dropOriginal(id: string): Promise<void> {
    for (const entry of await this.cache.list()) {
      if (entry.id === id && !entry.made) await this.cache.remove(entry);
    }
  }

  /** The stored file in the wanted form. Deletes damaged files and those that do not fit the graph of this release. */
  private async findConverted(
    id: string,
    sources: Sources,
    options: PrepareOptions,
    from: string | null,
  ): Promise<{ prepared: PreparedWeights | null; note: string | null }> {
    const { form, expected, trustUnknown } = options;
    const isWanted = ({ id: other, made, trusted }: StoredModel): boolean =>
      other === id && made?.as === formName(form) &&
      (from === null || made.from === from) &&
      (acceptedFile(sources, made.from) !== null || (trusted && trustUnknown === true));
    let note: string | null = null;
    for (const entry of (await this.cache.list()).filter(isWanted)) {
      const source = await this.cache.open(entry, verifying(options));
      const weights = source && (await this.bindStored(entry, source, convertedTensors(expected, form)));
      if (weights) {
        const unknown = entry.trusted;
        const facts = { sha256: entry.made!.from, license: entry.license, unknown, stored: true, originalBytes: null, formBytes: entry.bytes };
        return { prepared: { ...facts, weights, origin: 'cache', note: joined(note, unknown ? trustedNote(id, entry) : null) }, note };
      }
      note = `The stored file ${entry.file} was damaged or of another release, and has been deleted`;
    }
    return { prepared: null, note };
  }

  /** Null if a stored file does not fit the graph; it is then deleted. */
  private async bindStored(entry: StoredModel, source: ByteSource, expected: readonly ExpectedTensor[]): Promise<BoundWeights | null> {
    try {
      return bindWeights(await openSafetensors(source), expected);
    } catch (error) {
      if (!(error instanceof VoxlaneError) || error.code !== 'model-invalid') throw error;
      await this.cache.remove(entry);
      return null;
    }
  }

  private async openDropped(sources: Sources, dropped: Blob, options: PrepareOptions): Promise<Original> {
    const name = dropped instanceof File ? dropped.name : 'an unnamed file';
    const source = blobSource(dropped, name);
    const sha256 = await hashSource(source, verifying(options));
    const accepted = acceptedFile(sources, sha256);
    const facts = { source, sha256, origin: 'dropped', note: null, stored: false } as const;
    return accepted
      ? { ...facts, unknown: false, file: accepted.name, license: accepted.license }
      : { ...facts, unknown: true, file: name, license: null };
  }

  private async openOriginal(id: string, sources: Sources, options: PrepareOptions): Promise<Original> {
    const { trustUnknown, onProgress } = options;
    const kept = await this.models.find(id, sources, trustUnknown);
    const source = kept && (await this.cache.open(kept, verifying(options)));
    if (source) {
      const { sha256, file, license, trusted } = kept;
      return { source, sha256, file, license, origin: 'cache', unknown: trusted, note: trusted ? trustedNote(id, kept) : null, stored: true };
    }
    const note = kept && `The stored file ${kept.file} was damaged, and has been deleted`;
    const fetching: GetModelOptions = {
      ...options,
      onProgress: ({ receivedBytes, totalBytes }) => onProgress?.({ step: 'download', doneBytes: receivedBytes, totalBytes }),
    };
    return orWithNote(note, async () => {
      const original = await this.download(id, sources, fetching);
      return { ...original, note: joined(note, original.note) };
    });
  }

  /** Downloads the file into the store; without storage, into memory. */
  private async download(id: string, sources: Sources, fetching: GetModelOptions): Promise<Original> {
    try {
      const stored = await this.models.storeModel(id, sources, fetching);
      const { sha256, file, license } = stored;
      return { source: this.cache.source(stored), sha256, file, license, origin: 'network', unknown: false, note: null, stored: true };
    } catch (error) {
      if (!(error instanceof VoxlaneError) || error.code !== 'storage') throw error;
    }
    const { bytes, ...model } = await this.models.getModel(id, sources, fetching);
    return { ...model, source: blobSource(new Blob([bytes]), model.file) };
  }

  private async convert(id: string, original: Original, options: PrepareOptions): Promise<PreparedWeights> {
    const { expected, form, signal, onProgress, trustUnknown, dropOriginal } = options;
    const { source, file, ...facts } = original;
    const bound = bindWeights(await openSafetensors(source), expected);
    const reading = {
      allowZeros: !facts.unknown,
      signal,
      onProgress: (progress: WeightsProgress) => onProgress?.({ step: 'convert', ...progress }),
    };
    const prepared = { ...facts, originalBytes: source.size };
    if (form === 'float32' && facts.stored) {
      await checkValues(bound, reading);
      return { ...prepared, weights: bound, formBytes: source.size };
    }
    const made: Made = { from: facts.sha256, as: formName(form) };
    const entry = { id, file: nameOf(file, form), license: facts.license, trusted: facts.unknown, made };
    const tensors = convertedTensors(expected, form);
    let note = facts.note;
    if (!facts.unknown || trustUnknown === true) {
      try {
        await convertWeights(bound, form, facts.sha256, await this.cache.makeFile(entry), reading);
        const stored = await this.cache.findMade(id, made);
        if (stored) {
          if (dropOriginal === true) await this.dropOriginal(id);
          const weights = bindWeights(await openSafetensors(this.cache.source(stored)), tensors);
          return { ...prepared, weights, stored: true, formBytes: stored.bytes };
        }
      } catch (error) {
        if (!(error instanceof VoxlaneError) || error.code !== 'storage') throw error;
        note = joined(note, error.problem);
      }
    }
    const sink = new BlobSink();
    const { bytes } = await convertWeights(bound, form, facts.sha256, sink, reading);
    const weights = bindWeights(await openSafetensors(blobSource(sink.file!, entry.file)), tensors);
    return { ...prepared, weights, note, stored: false, formBytes: bytes };
  }
}

const verifying = ({ signal, onProgress }: PrepareOptions): HashOptions => ({
  signal,
  onProgress: (progress) => onProgress?.({ step: 'verify', ...progress }),
});

const formName = (form: WeightsForm): string => `${form}.${FORM_VERSION}`;

const nameOf = (file: string, form: WeightsForm): string => `${file.replace(/\.safetensors$/, '')}.${form}.safetensors`;

/** Note for every result of a file of unknown hash. */
const trustedNote = (id: string, { file, made, sha256 }: StoredModel): string =>
  `The file ${file} is not a known file of ${id}. It is used because it was trusted: SHA-256 ${made?.from ?? sha256}`;

const joined = (first: string | null, second: string | null): string | null =>
  first !== null && second !== null ? `${first}. ${second}` : (first ?? second);
