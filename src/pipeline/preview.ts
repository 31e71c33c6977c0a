import type { AssemblyFacts } from '../diarization/assemble';
import { minCleanFrames } from '../embedding/mask';
import { timeGeometry } from '../timeline/geometry';
import type { MinDurations } from '../timeline/minDurations';
import { nameTurns, speakerLabels } from '../timeline/turns';
import type { Engine } from './engine';
import type { CheckedRunOptions } from './options';
import type { Preview } from './types';

/** Windows before the first preview: with fewer, clusters mean little. */
const FIRST_WINDOWS = 30;
/** Each preview covers so many times what the one before did: clustering again and again costs less than the last time. */
const GROWTH = 1.5;
/** Nearer to the end than this part of the windows, the result itself comes soon enough. */
const LAST_PART = 0.9;

/** Shortest turns and gaps of a run: those that were asked for, else those of the settings. */
export function minDurationsOf(
  { minDurations }: Pick<Engine['settings'], 'minDurations'>,
  { minDurationOn, minDurationOff }: Pick<CheckedRunOptions, 'minDurationOn' | 'minDurationOff'>,
): MinDurations {
  return {
    minDurationOn: minDurationOn ?? minDurations.minDurationOn,
    minDurationOff: minDurationOff ?? minDurations.minDurationOff,
  };
}

/** What the clustering worker is asked for. */
export function assemblyFacts(engine: Engine, run: CheckedRunOptions): AssemblyFacts {
  const { minSpeakers, maxSpeakers } = run;
  const { numFrames, windowSamples, powerset } = engine.segmentationManifest;
  const { embeddingSize, minSamples } = engine.embeddingManifest;
  return {
    numSpeakers: powerset.numClasses,
    dimension: embeddingSize,
    geometry: timeGeometry(engine.segmentationManifest),
    options: { ...engine.settings.clustering, minSpeakers, maxSpeakers },
    minCleanFrames: minCleanFrames(numFrames, windowSamples, minSamples),
    minDurations: minDurationsOf(engine.settings, run),
  };
}

/** Tells who spoke when in what is done of a recording, now and then, while the models go on with the rest. */
export class Previewer {
  private nextWindows = FIRST_WINDOWS;
  private isBusy = false;
  private isOver = false;

  constructor(
    private readonly engine: Engine,
    private readonly options: CheckedRunOptions & { readonly onPreview: ((preview: Preview) => void) | undefined },
  ) {}

  /** The clustering worker holds so many windows now. */
  offer(numWindows: number, expectedWindows: number): void {
    const { onPreview } = this.options;
    if (!onPreview || this.isBusy || numWindows < this.nextWindows || numWindows > LAST_PART * expectedWindows) return;
    this.isBusy = true;
    this.nextWindows = numWindows * GROWTH;
    this.preview(numWindows, onPreview)
      // What goes wrong goes wrong again at the end, where it is heard.
      .catch(() => undefined)
      .finally(() => {
        this.isBusy = false;
      });
  }

  /** A preview that comes later is not told: the result is newer. */
  stop(): void {
    this.isOver = true;
  }

  private async preview(numWindows: number, onPreview: (preview: Preview) => void): Promise<void> {
    const { engine, options } = this;
    const assembly = await engine.clustering.call((api) => api.assemble(assemblyFacts(engine, options)));
    if (this.isOver) return;
    const turns = assembly?.turns ?? [];
    const { durationSeconds, stepSeconds } = timeGeometry(engine.segmentationManifest).windows;
    onPreview({
      analysedSeconds: options.startSeconds + (numWindows - 1) * stepSeconds + durationSeconds,
      turns: nameTurns(turns, speakerLabels(turns), options.startSeconds),
    });
  }
}
