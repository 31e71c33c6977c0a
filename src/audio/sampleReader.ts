/** Reads a stream of samples in blocks of requested lengths. Keeps only the rest of one piece. */
export class SampleReader {
  private rest: Float32Array = new Float32Array(0);

  /** @param pieces axes (sample), float32, of any lengths; a piece may be reused after the next one was requested */
  constructor(private readonly pieces: AsyncIterator<Float32Array>) {}

  /**
   * Returns the next samples as soon as there are enough of them. Call it again only after it has resolved.
   *
   * @param count number of samples, at least 1
   * @returns axes (sample), float32, in a buffer of its own: `count` samples, or fewer at the end; null after the last
   * @throws errors of the pieces
   */
  async next(count: number): Promise<Float32Array | null> {
    const block = new Float32Array(count);
    let filled = 0;
    while (filled < count) {
      if (this.rest.length === 0) {
        const step = await this.pieces.next();
        if (step.done) break;
        this.rest = step.value;
        continue;
      }
      const part = this.rest.subarray(0, count - filled);
      block.set(part, filled);
      filled += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    if (filled === 0) return null;
    return filled === count ? block : block.slice(0, filled);
  }
}
