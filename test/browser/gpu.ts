import type { DiarizationResult, DiarizerOptions } from '../../src/index';
import type { Evaluator } from './evaluator';

/** Result of a run on a short part of the sample, as plain data. */
export interface ShortRun extends Pick<DiarizationResult, 'turns' | 'exclusiveTurns' | 'backend'> {
  readonly rttm: string;
  /** Segmentation batch sizes in windows, in order. */
  readonly batches: number[];
  /** Number of embedded local speakers. */
  readonly numEmbeddings: number;
}

/**
 * Diarizes the start of the sample: 1.3 s of speech, then silence. A software adapter takes seven seconds to embed one second
 * of speech and nine seconds to segment a window.
 *
 * @param seconds length of the recording: 11 s are two windows, 10 s are one
 */
export function runShort(page: Evaluator, options: DiarizerOptions, seconds = 11): Promise<ShortRun> {
  return page.evaluate(async ([diarizerOptions, durationSeconds]) => {
    const bytes = new DataView(await (await fetch('sample.wav')).arrayBuffer());
    const offset = bytes.byteLength - 2 * 480_000;
    const samples = Float32Array.from({ length: durationSeconds * 16000 }, (_, i) =>
      i < 8 * 16000 ? bytes.getInt16(offset + 2 * i, true) / 32768 : 0,
    );
    const diarizer = await voxlane.Diarizer.create(diarizerOptions);
    try {
      let numEmbeddings = 0;
      const batches: number[] = [];
      const result = await diarizer.diarize(samples, {
        sampleRate: 16_000,
        hook: ({ stage, artifact, completed }) => {
          if (stage === 'segmentation') batches.push(completed - batches.reduce((sum, size) => sum + size, 0));
          if (stage !== 'embedding' || !artifact) return;
          const dimension = artifact.shape[2]!;
          for (let row = 0; row < artifact.data.length; row += dimension) {
            if (!Number.isNaN(artifact.data[row]!)) numEmbeddings++;
          }
        },
      });
      const { turns, exclusiveTurns, backend } = result;
      const rttm = voxlane.toRttm(turns, 'short');
      return { turns, exclusiveTurns, backend, rttm, batches, numEmbeddings };
    } finally {
      diarizer.dispose();
    }
  }, [options, seconds] as const);
}
