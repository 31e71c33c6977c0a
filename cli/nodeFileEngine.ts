import type * as Library from '../src/index';
import type { DiarizeCommand } from './diarizeOptions';
import { partsOf } from './errorLine';
import { outcomeOf, type FileEngine, type FileOutcome, type FileRequest } from './fileEngine';
import { requireFile } from './inputs';
import { namingModelFile } from './modelErrors';
import { downloadLine, say } from './output';

/** The library in this process. */
export class NodeFileEngine implements FileEngine {
  private diarizer: Library.Diarizer | null = null;

  /** @param load imports the library's build for Node */
  constructor(
    private readonly load: () => Promise<Pick<typeof Library, 'Diarizer'>>,
    private readonly command: Pick<DiarizeCommand, 'backend' | 'trustGpu' | 'preset' | 'speed' | 'clustering' | 'trustModel' | 'hub'>,
    private readonly model: string | undefined,
  ) {}

  async start(): Promise<void> {
    const { Diarizer } = await this.load();
    const { backend, trustGpu, preset, speed, clustering, trustModel, hub } = this.command;
    const onDownload = downloadLine(say);
    if (this.model !== undefined) requireFile(this.model);
    this.diarizer = await namingModelFile(this.model, () => Diarizer.create({
      backend,
      trustGpu,
      preset,
      speed,
      clustering,
      trustUnknownModel: trustModel,
      onDownload,
      ...(hub !== undefined && { hub }),
      ...(this.model !== undefined && { modelFile: this.model }),
    }));
  }

  async diarize(path: string, request: FileRequest, onProgress: (stage: string, completed: number) => void): Promise<FileOutcome> {
    if (!this.diarizer) await this.start();
    try {
      const result = await this.diarizer!.diarize(path, {
        ...request.options,
        onProgress: ({ stage, completed, total }) => { onProgress(stage, completed / total); },
      });
      return outcomeOf(result, request);
    } catch (error) {
      const parts = partsOf(error);
      if (parts) return { ok: false, error: parts };
      throw error;
    }
  }

  close(): Promise<void> {
    this.diarizer?.dispose();
    this.diarizer = null;
    return Promise.resolve();
  }
}
