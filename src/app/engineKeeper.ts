import type {
  BackendChoice,
  DiarizationResult,
  DiarizeOptions,
  DiarizerOptions,
  ModelDownload,
  Speed,
} from '../engine/types';
import type { PresetChoice } from './models/choices';

/** The part of a diarizer that the app uses. An interface, to develop and test the app without models. */
export interface Engine {
  diarize(source: Blob, options: DiarizeOptions): Promise<DiarizationResult>;
  dispose(): void;
}

/** `signal` aborts the start. */
export type EngineFactory = (options: DiarizerOptions & { readonly signal?: AbortSignal }) => Promise<Engine>;

/** A model file provided by the user. */
export interface ModelFile {
  readonly name: string;
  readonly blob: Blob;
  /** The user confirmed its unknown hash. */
  readonly isTrusted: boolean;
}

/** The settings that determine an engine. */
export interface EngineRequest {
  readonly backend: BackendChoice;
  readonly preset: PresetChoice;
  readonly speed: Speed;
  readonly file: ModelFile | null;
}

interface Entry {
  readonly request: EngineRequest;
  readonly ready: Promise<Engine>;
  readonly abort: AbortController;
}

const isSame = (one: EngineRequest, other: EngineRequest): boolean =>
  one.backend === other.backend &&
  one.preset === other.preset &&
  one.speed === other.speed &&
  one.file?.blob === other.file?.blob &&
  one.file?.isTrusted === other.file?.isTrusted;

/** Keeps one engine, even while it starts, to share it between a download and the run that waits for it. */
export class EngineKeeper {
  readonly #factory: EngineFactory;
  readonly #onDownload: (download: ModelDownload) => void;
  #entry: Entry | null = null;
  #isMade = false;

  constructor(factory: EngineFactory, onDownload: (download: ModelDownload) => void) {
    this.#factory = factory;
    this.#onDownload = onDownload;
  }

  /** Returns the current engine if it matches the request. Otherwise disposes of it and creates a new one. */
  get(request: EngineRequest): Promise<Engine> {
    if (this.#entry && isSame(this.#entry.request, request)) return this.#entry.ready;
    this.drop();
    const { backend, preset, speed, file } = request;
    const abort = new AbortController();
    const ready = this.#factory({
      backend,
      preset,
      speed,
      signal: abort.signal,
      onDownload: (download) => {
        if (!abort.signal.aborted) this.#onDownload(download);
      },
      // The user confirmed a stored file with an unknown hash.
      trustUnknownModel: file?.isTrusted ?? true,
      ...(file && { modelFile: file.blob }),
    });
    const entry: Entry = { request, ready, abort };
    this.#entry = entry;
    this.#isMade = false;
    ready.then(
      () => {
        if (this.#entry === entry) this.#isMade = true;
      },
      // An engine that failed to start is not kept. Otherwise a retry would return the old failure.
      () => {
        if (this.#entry === entry) this.#entry = null;
      },
    );
    return ready;
  }

  /** Aborts an engine that is still starting, along with its download. */
  stopMaking(): void {
    if (!this.#isMade) this.drop();
  }

  drop(): void {
    const entry = this.#entry;
    this.#entry = null;
    this.#isMade = false;
    entry?.abort.abort();
    entry?.ready.then(
      (made) => {
        made.dispose();
      },
      () => undefined,
    );
  }
}
