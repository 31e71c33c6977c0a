import { blobSource, type ByteSource } from '../store/byteSource';
import { BlobSink, type ByteSink } from '../store/byteSink';
import { type Made, ModelCache } from '../store/cache';
import type { StoredModel } from '../store/cacheTools';
import { type HashOptions, hashSource } from '../store/hashSource';
import { cancelled } from '../store/load';
import { type GetModelOptions, type ModelFile, ModelStore, type ModelStoreTools, orWithNote, weightsLock, withHostLock, type WithLock } from '../store/modelStore';
import { acceptedFile, type Sources } from '../store/sources';
import { throwIfAborted, unlessAborted } from '../util/abort';
import { VoxlaneError } from '../util/errors';
import { openSha256 } from '../util/hash';
import { bindRounded, bindWeights, type BoundWeights, checkValues, type WeightsProgress } from './bind';
import { convertedBytes, convertedTensors, convertWeights, type WeightsForm } from './convert';
import type { ExpectedTensor } from './expected';
import { conversionsOf, formName, isEarlierVersion, isUsable, nameFromFloat16 } from './formNames';
import { openSafetensors } from './safetensors';

/** Progress of {@link WeightsStore.prepare}. */
export interface PrepareProgress extends WeightsProgress {
  /**
   * `wait`: another tab or worker uses the stored model, reported as 0 of 1, and 1 of 1 at the end; `verify`: hashing a dropped or
   * stored file, or checking the values of one that is used as it is; `download`; `convert`: checking and converting.
   */
  readonly step: 'wait' | 'verify' | 'download' | 'convert';
}

/** Options of {@link WeightsStore.prepare}. */
export interface PrepareOptions extends Omit<GetModelOptions, 'onProgress'> {
  /** Tensors of the graph. */
  readonly expected: readonly ExpectedTensor[];
  /** The form that the backend needs. */
  readonly form: WeightsForm;
  /** Accepts what was converted and stored from the same dropped file of unknown hash before, as `trustUnknown` does. */
  readonly trustChecked?: boolean;
  /** Deletes the stored original after its conversion is stored. Only float16 can then become other forms without a download. */
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

/** The file before its conversion: the original, or if that is not stored, the float16 form. */
interface Original extends Pick<PreparedWeights, 'origin' | 'unknown' | 'license' | 'sha256' | 'note' | 'stored'> {
  readonly source: ByteSource;
  /** File name. */
  readonly file: string;
  readonly isRounded: boolean;
  /** Why the file is not stored: a note for results if no form of it is. */
  readonly notKept?: string | null;
}

/** Provides weights in the form that a backend needs: converted once, then stored. */
export class WeightsStore {
  private readonly cache: ModelCache;
  private readonly models: ModelStore;
  private readonly withLock: WithLock;

  constructor(tools: Partial<ModelStoreTools> = {}) {
    this.cache = tools.cache ?? new ModelCache();
    this.models = new ModelStore({ ...tools, cache: this.cache });
    this.withLock = tools.withLock ?? withHostLock;
  }

  /**
   * Returns the weights of a graph in the wanted form: stored on an earlier visit, else converted from the dropped or stored
   * original, the stored float16 form, or the downloaded original, and stored if possible. Files are read tensor by tensor.
   *
   * A file of unknown hash is returned with `unknown`, converted but not stored, unless `trustUnknown` is set: the caller
   * must check the outputs of the model first.
   *
   * @throws VoxlaneError `model-invalid` if a tensor is missing, left over, or has another type or shape or wrong values;
   *   `model-missing`, `model-altered`, `model-download`, `cancelled`
   */
  async prepare(id: string, sources: Sources, options: PrepareOptions): Promise<PreparedWeights> {
    if (options.signal?.aborted === true) throw cancelled();
    const { onProgress } = options;
    let isWaiting = false;
    const work = async (): Promise<PreparedWeights> => {
      if (isWaiting) onProgress?.({ step: 'wait', doneBytes: 1, totalBytes: 1 });
      // The rest of a conversion in a tab that was closed.
      await this.cache.discardUnfinished(id).catch(() => undefined);
      const dropped = options.dropped && (await this.openDropped(sources, options.dropped, options));
      // Only what was made from the same file: it was stored after its check.
      const trustUnknown = options.trustUnknown === true || (dropped !== undefined && options.trustChecked === true);
      const kept = await this.findConverted(id, sources, { ...options, trustUnknown }, { as: formName(options.form), from: dropped?.sha256 ?? null });
      if (kept.prepared) return kept.prepared;
      const { original, note } = dropped ? { original: dropped, note: null } : await this.findOriginal(id, sources, options);
      return withNote(joined(kept.note, note), async () => {
        if (original) return this.convert(id, original, options);
        const other = await this.findOther(id, sources, options);
        if (other.prepared) return other.prepared;
        return withNote(other.note, async () => this.convert(id, other.original ?? (await this.download(id, sources, options)), options));
      });
    };
    return this.withLock(weightsLock(id), work, options.signal, () => {
      isWaiting = true;
      onProgress?.({ step: 'wait', doneBytes: 0, totalBytes: 1 });
    });
  }

  /**
   * Stores the weights of a dropped file of unknown hash, which {@link prepare} did not store, after the caller has checked the outputs
   * of the model. Nothing is converted again.
   *
   * @returns the weights, stored; if they cannot be stored, with a note
   * @throws VoxlaneError `cancelled`
   */
  async keep(id: string, prepared: PreparedWeights, { form, signal }: Pick<PrepareOptions, 'form' | 'signal'>): Promise<PreparedWeights> {
    const { weights: { file: { source } }, sha256, license, unknown, note } = prepared;
    const made: Made = { from: sha256, as: formName(form) };
    const work = async (): Promise<PreparedWeights> => {
      try {
        await copyInto(await this.cache.makeFile({ id, file: source.name, license, trusted: unknown, made }, source.size), source, signal);
        return { ...prepared, stored: true };
      } catch (error) {
        if (!(error instanceof VoxlaneError) || error.code !== 'storage') throw error;
        return { ...prepared, note: joined(note, error.problem) };
      }
    };
    return this.withLock(weightsLock(id), work, signal);
  }

  /**
   * Deletes the stored original of a model, and keeps what was converted from it.
   *
   * @throws VoxlaneError `model-altered` if no undamaged conversion of it that this release can use is stored, so that it stays; `storage` if the browser
   *   refuses, or as {@link ModelStore.whileIdle}
   */
  dropOriginal(id: string): Promise<void> {
    return this.models.whileIdle(id, async () => {
      for (const original of (await this.cache.list()).filter((entry) => entry.id === id && !entry.made)) {
        if (!(await this.hasConversion(original))) throw noConversion(id);
        await this.cache.drop(original);
      }
    });
  }

  private async hasConversion(original: StoredModel): Promise<boolean> {
    for (const entry of conversionsOf(original, await this.cache.list())) {
      if (await this.cache.open(entry)) return true;
    }
    return false;
  }

  private async deleteOriginal(id: string, sha256: string): Promise<void> {
    for (const entry of await this.cache.list()) {
      if (entry.id === id && !entry.made && entry.sha256 === sha256) await this.cache.drop(entry);
    }
  }

  /** Deletes what an earlier release made from the same original in an earlier version of the form: this release cannot use it. */
  private async discardEarlierVersions(id: string, { from, as }: Made): Promise<void> {
    for (const entry of await this.cache.list()) {
      if (entry.id === id && entry.made?.from === from && isEarlierVersion(entry.made.as, as)) await this.cache.remove(entry);
    }
  }

  /** The stored file in the wanted form. Deletes damaged files and those that do not fit the graph of this release. */
  private async findConverted(
    id: string,
    sources: Sources,
    options: PrepareOptions,
    { as, from = null }: { readonly as: string; readonly from?: string | null },
  ): Promise<{ prepared: PreparedWeights | null; note: string | null }> {
    const { form, expected, trustUnknown = false } = options;
    const isWanted = (file: StoredModel): boolean =>
      file.id === id && file.made?.as === as && (from === null || file.made.from === from) && isUsable(file, sources, trustUnknown);
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
    const facts = { source, sha256, origin: 'dropped', note: null, stored: false, isRounded: false } as const;
    return accepted
      ? { ...facts, unknown: false, file: accepted.name, license: accepted.license }
      : { ...facts, unknown: true, file: name, license: null };
  }

  /** The stored original. Deletes it if it is damaged. */
  private async findOriginal(id: string, sources: Sources, options: PrepareOptions): Promise<{ original: Original | null; note: string | null }> {
    const kept = await this.models.find(id, sources, options.trustUnknown);
    if (!kept) return { original: null, note: null };
    const source = await this.cache.open(kept, verifying(options));
    const { sha256, file, license, trusted } = kept;
    if (!source) return { original: null, note: `The stored file ${file} was damaged, and has been deleted` };
    const note = trusted ? trustedNote(id, kept) : null;
    return { original: { source, sha256, file, license, origin: 'cache', unknown: trusted, note, stored: true, isRounded: false }, note: null };
  }

  /** What the wanted form can be made from without the original: its copy, or else the stored float16 form, if the wanted form was not made from that before. */
  private async findOther(id: string, sources: Sources, options: PrepareOptions): Promise<{ prepared: PreparedWeights | null; original: Original | null; note: string | null }> {
    let note: string | null = null;
    const find = async (form: WeightsForm, as: string): Promise<PreparedWeights | null> => {
      const found = await this.findConverted(id, sources, { ...options, form }, { as });
      if (!found.prepared) note = joined(note, found.note);
      return found.prepared;
    };
    const originalOf = ({ weights: { file: { source } }, sha256, license, unknown, note: own }: PreparedWeights, isRounded: boolean): Original =>
      ({ source, file: source.name, isRounded, sha256, license, unknown, origin: 'cache', stored: true, note: isRounded ? joined(FROM_FLOAT16, own) : own });
    const copy = options.form === 'float32' ? null : await find('float32', formName('float32'));
    if (copy) return { prepared: null, original: originalOf(copy, false), note };
    if (options.form === 'float16') return { prepared: null, original: null, note };
    const made = await find(options.form, nameFromFloat16(options.form));
    if (made) return { prepared: { ...made, note: joined(FROM_FLOAT16, made.note) }, original: null, note };
    const rounded = await find('float16', formName('float16'));
    return { prepared: null, original: rounded && originalOf(rounded, true), note };
  }

  /** Downloads the file into the store; without storage, into memory. */
  private async download(id: string, sources: Sources, options: PrepareOptions): Promise<Original> {
    const fetching: GetModelOptions = {
      ...options,
      onProgress: ({ receivedBytes, totalBytes }) => options.onProgress?.({ step: 'download', doneBytes: receivedBytes, totalBytes }),
    };
    try {
      const stored = await this.models.storeModel(id, sources, fetching);
      const { sha256, file, license } = stored;
      return { source: this.cache.source(stored), sha256, file, license, origin: 'network', unknown: false, note: null, stored: true, isRounded: false };
    } catch (error) {
      if (!(error instanceof VoxlaneError) || error.code !== 'storage') throw error;
    }
    // Continues with what was stored before there was no more room.
    const { bytes, note: notKept, ...model } = await this.models.getModel(id, sources, fetching);
    return { ...model, note: null, notKept, source: blobSource(new Blob([bytes]), model.file), isRounded: false };
  }

  private async convert(id: string, original: Original, options: PrepareOptions): Promise<PreparedWeights> {
    const { expected, form, signal, onProgress, trustUnknown, dropOriginal } = options;
    const { source, file, isRounded, notKept = null, ...facts } = original;
    const opened = await openSafetensors(source);
    const bound = isRounded ? bindRounded(opened, expected, convertedTensors(expected, 'float16')) : bindWeights(opened, expected);
    const reading = {
      allowZeros: !facts.unknown,
      signal,
      onProgress: (progress: WeightsProgress) => onProgress?.({ step: 'convert', ...progress }),
    };
    const prepared = { ...facts, originalBytes: isRounded ? null : source.size };
    if (form === 'float32' && facts.stored) {
      await checkValues(bound, { ...reading, onProgress: (progress) => onProgress?.({ step: 'verify', ...progress }) });
      return { ...prepared, weights: bound, formBytes: source.size };
    }
    const made: Made = { from: facts.sha256, as: isRounded ? nameFromFloat16(form) : formName(form) };
    const entry = { id, file: nameOf(file, form), license: facts.license, trusted: facts.unknown, made };
    const tensors = convertedTensors(expected, form);
    let note = joined(notKept, facts.note);
    if (!facts.unknown || trustUnknown === true) {
      try {
        await convertWeights(bound, form, facts.sha256, await this.cache.makeFile(entry, convertedBytes(expected, form)), reading);
        const stored = await this.cache.findMade(id, made);
        if (stored) {
          await this.discardEarlierVersions(id, made);
          if (dropOriginal === true) await this.deleteOriginal(id, facts.sha256);
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

/** Copies a file, and hashes it on the way. After any error the sink is empty. */
async function copyInto(sink: ByteSink, source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  const hash = await openSha256();
  try {
    for (let start = 0; start < source.size; start += COPY_BYTES) {
      const part = await unlessAborted(signal, () => source.read(start, Math.min(source.size, start + COPY_BYTES)));
      hash.update(part);
      await sink.write(part);
    }
    throwIfAborted(signal);
    await sink.finish(hash.hex());
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

/** Large enough that reading takes less time than hashing. */
const COPY_BYTES = 1 << 20;

const noConversion = (id: string): VoxlaneError =>
  new VoxlaneError({
    code: 'model-altered',
    problem: `The original file of ${id} was not deleted, because no undamaged file that was converted from it is stored`,
    expected: 'a converted file with the hash that it had when it was stored',
    remedy: 'Use the model once, which converts it again, then delete the original',
  });

const verifying = ({ signal, onProgress }: PrepareOptions): HashOptions => ({
  signal,
  onProgress: (progress) => onProgress?.({ step: 'verify', ...progress }),
});

const nameOf = (file: string, form: WeightsForm): string => `${file.replace(/\.safetensors$/, '')}.${form}.safetensors`;

/** Note for every result of weights that were rounded twice. */
const FROM_FLOAT16 = 'The weights were made from the stored float16 weights, because the original file is not stored';

/** Note for every result of a file of unknown hash. */
const trustedNote = (id: string, { file, made, sha256 }: StoredModel): string =>
  `The file ${file} is not a known file of ${id}. It is used because it was trusted: SHA-256 ${made?.from ?? sha256}`;

/** Adds a note to the result or the error of `work`. */
async function withNote(note: string | null, work: () => Promise<PreparedWeights>): Promise<PreparedWeights> {
  const prepared = await orWithNote(note, work);
  return { ...prepared, note: joined(note, prepared.note) };
}

const joined = (first: string | null, second: string | null): string | null =>
  first !== null && second !== null ? `${first}. ${second}` : (first ?? second);
