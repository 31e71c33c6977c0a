import type {
  BackendChoice,
  DiarizationResult,
  DiarizeOptions,
  DiarizerOptions,
  ModelDownload,
  PresetId,
  Speed,
} from '../engine/types';

/** Which preset runs. `auto` takes community-1 where its model is here, else campplus, and never downloads. */
export type PresetChoice = PresetId | 'auto';

/** What the page needs of a diarizer. An interface, so that the page can be developed and tested without models. */
export interface Engine {
  diarize(source: Blob, options: DiarizeOptions): Promise<DiarizationResult>;
  dispose(): void;
}

/** `signal` ends the start. */
export type EngineFactory = (options: DiarizerOptions & { readonly signal?: AbortSignal }) => Promise<Engine>;

/** A model file of the user's. */
export interface ModelFile {
  readonly name: string;
  readonly blob: Blob;
  /** The user was asked about its unknown hash, and said yes. */
  readonly isTrusted: boolean;
}

/** What sets one engine apart from another. */
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

/** Keeps one engine, also while it is being made, so that a download and the run that waits for it share it. */
export class EngineKeeper {
  readonly #factory: EngineFactory;
  readonly #onDownload: (download: ModelDownload) => void;
  #entry: Entry | null = null;
  #isMade = false;

  constructor(factory: EngineFactory, onDownload: (download: ModelDownload) => void) {
    this.#factory = factory;
    this.#onDownload = onDownload;
  }

  /** The engine kept where it is as asked for; otherwise a new one, for which the kept one goes. */
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
      // A stored file of unknown hash was confirmed by the user.
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
      // An engine that could not be made is not kept, or a retry would meet the old failure.
      () => {
        if (this.#entry === entry) this.#entry = null;
      },
    );
    return ready;
  }

  /** Ends an engine that is still being made, and its download with it. */
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
