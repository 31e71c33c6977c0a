import type { Evaluator } from './evaluator';

/** Loads the decoded sample into a page with the library, as an array and as a stream of pieces. */
export function putSamples(page: Evaluator): Promise<void> {
  return page.evaluate(async () => {
    const bytes = new DataView(await (await fetch('sample.wav')).arrayBuffer());
    const offset = bytes.byteLength - 2 * 480_000;
    const samples = Float32Array.from({ length: 480_000 }, (_, i) => bytes.getInt16(offset + 2 * i, true) / 32768);
    const state = { isEnded: false, read: 0 };
    async function* pieces(of: Float32Array): AsyncGenerator<Float32Array> {
      try {
        // Reuse one buffer for all pieces, of any length including zero.
        const buffer = new Float32Array(30_011);
        for (let place = 0, turn = 0; place < of.length; turn++) {
          const piece = buffer.subarray(0, Math.min((turn * 7919) % 30_011, of.length - place));
          piece.set(of.subarray(place, place + piece.length));
          place += piece.length;
          state.read = place;
          yield await Promise.resolve(piece);
        }
      } finally {
        state.isEnded = true;
      }
    }
    Object.assign(globalThis, { librarySamples: samples, libraryPieces: pieces, libraryState: state });
  }, undefined);
}

declare global {

  var librarySamples: Float32Array;

  var libraryPieces: (of: Float32Array) => AsyncGenerator<Float32Array>;

  var libraryState: { isEnded: boolean; read: number };
}
