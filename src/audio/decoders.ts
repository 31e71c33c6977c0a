/** WebCodecs of a browser. In the Node build, `nodeDecoders.ts` replaces this module. */
import type { AudioSample } from 'mediabunny';

/** Loads WebCodecs. A browser has it or not. */
export const loadDecoders = (): Promise<void> => Promise.resolve();

/** Reads one channel of decoded audio as floats. */
export function readPlane(sample: AudioSample, planeIndex: number, plane: Float32Array): void {
  sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
}
