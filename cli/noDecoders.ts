/** Replaces `src/audio/decoders.ts` in the command of the package, which reads headers and WAV files only. */
import type * as Decoders from '../src/audio/decoders';

export const loadDecoders: typeof Decoders.loadDecoders = () => Promise.resolve();

export const isWasmCodec: typeof Decoders.isWasmCodec = () => false;

export const readPlane: typeof Decoders.readPlane = () => {
  throw new Error('The command has no decoders');
};
