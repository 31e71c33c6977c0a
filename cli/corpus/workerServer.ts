/** The part of `corpus run` that runs in a worker process: one diarizer, one file at a time. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { BackendReport, DiarizationResult, DiarizerOptions, PresetId } from '../../src/index';
import { toJson } from '../../src/formats/json';
import { messageOf, VoxlaneError, type ErrorParts } from '../../src/util/errors';
import { requireFile } from '../inputs';
import { namingModelFile } from '../modelErrors';
import { Hasher } from './inputHash';
import { isSilentFile } from './silence';
import { STALL_MS, unlessStalled } from './stall';
import type { FileOptions, FileResult, Job, Reply, Request, WorkerInfo, WorkerSettings } from './workerProtocol';

/** The part of a diarizer that a worker uses. The source is a path. */
interface Engine {
  readonly preset: PresetId;
  readonly backend: Pick<BackendReport, 'name'> | null;
  diarize(path: string, options: FileOptions & { readonly onProgress: () => void }): Promise<DiarizationResult>;
}

/** The part of the library that a worker uses. */
export interface EngineModule {
  readonly Diarizer: { create(options: DiarizerOptions): Promise<Engine> };
}

/** A day, the maximum. The process ends when it has no more work. */
const IDLE_SECONDS = 86_400;

/**
 * Answers the requests of the parent process.
 *
 * Schedulers and terminals send signals to all processes of a job. Workers ignore those that ask for an end, so that the
 * parent can finish files that are almost done. They end with the parent: the channel closes even if it is killed.
 *
 * @param stallMs time without progress after which a file fails
 */
export function serveWorker(loadEngine: () => Promise<EngineModule>, stallMs = STALL_MS): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // A pending computation must not keep the process alive.
  process.on('disconnect', () => { process.exit(0); });
  const worker = new Worker(loadEngine, stallMs);
  process.on('message', (request: Request) => {
    void worker.answer(request).then((reply) => {
      if (reply) process.send!(reply);
      else process.exit(0);
    });
  });
}

class Worker {
  private engine: Engine | null = null;
  private readonly hasher = new Hasher();

  constructor(
    private readonly loadEngine: () => Promise<EngineModule>,
    private readonly stallMs: number,
  ) {}

  /** Never rejects. @returns null for the request to close */
  async answer(request: Request): Promise<Reply | null> {
    switch (request.kind) {
      case 'open': return this.open(request.settings);
      case 'job': return this.run(request.job);
      case 'close': return null;
    }
  }

  private async open(settings: WorkerSettings): Promise<Reply> {
    try {
      const { Diarizer } = await this.loadEngine();
      const { modelPath, ...options } = settings;
      if (modelPath !== undefined) requireFile(modelPath);
      const model = modelPath === undefined ? {} : { modelFile: modelPath };
      this.engine = await namingModelFile(modelPath, () => Diarizer.create({ ...options, ...model, idleSeconds: IDLE_SECONDS }));
      const info: WorkerInfo = { backend: this.engine.backend?.name ?? 'wasm', preset: this.engine.preset };
      return { kind: 'ready', info };
    } catch (error) {
      return { kind: 'not-ready', error: partsOf(error) };
    }
  }

  private async run(job: Job): Promise<Reply> {
    const start = performance.now();
    const figures = () => ({ seconds: (performance.now() - start) / 1000, residentBytes: process.memoryUsage.rss() });
    try {
      const result = await this.diarize(job);
      return { kind: 'done', result, ...figures() };
    } catch (error) {
      return { kind: 'failed', error: partsOf(error), ...figures() };
    }
  }

  private async diarize({ path, options }: Job): Promise<FileResult> {
    const before = await timesOf(path);
    const diarizing = unlessStalled(this.stallMs, (onProgress) => this.engine!.diarize(path, { ...options, onProgress }));
    const [hashed, diarized] = await Promise.allSettled([this.hasher.hash(path), diarizing]);
    // The error of the hash first, because it distinguishes a missing file from an unreadable one.
    if (hashed.status === 'rejected') throw hashed.reason;
    if (diarized.status === 'rejected') throw diarized.reason;
    const { sha256, stamp } = hashed.value;
    const result = diarized.value;
    if ((await timesOf(path)) !== before) {
      throw new VoxlaneError({
        code: 'audio-decode',
        problem: 'The file was changed while it was read',
        expected: 'a file that stays the same during the run',
        remedy: 'Run again when the file is complete',
      });
    }
    const numTurns = result.turns.length;
    return {
      inputSha256: sha256,
      stamp,
      document: toJson(basename(path), result),
      exactTurns: result.turns.map(({ startSeconds, endSeconds, speaker }) => [startSeconds, endSeconds, speaker]),
      numTurns,
      numSpeakers: result.speakers.length,
      audioSeconds: result.durationSeconds,
      backend: result.backend.name,
      isSilent: numTurns > 0 ? null : await isSilentFile(path, options),
    };
  }
}

/** Size and times of a file in one text; null if it does not exist. */
async function timesOf(path: string): Promise<string | null> {
  const stats = await stat(path).catch(() => null);
  return stats && [stats.size, stats.mtimeMs, stats.ctimeMs].join(' ');
}

function partsOf(thrown: unknown): ErrorParts {
  // The packaged library has its own class.
  if (thrown instanceof Error && 'toParts' in thrown) return (thrown as VoxlaneError).toParts();
  return new VoxlaneError({ code: 'worker-failed', problem: messageOf(thrown) }, { cause: thrown }).toParts();
}
