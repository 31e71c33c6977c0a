/**
 * Chromium's `AudioDecoder` numbers its output without regard to jumps in the timestamps of its input, so a gap in
 * a recording (a pause, lost packets, silence that was not sent) closes and all that follows is early. The gaps are
 * found in the packets' own timestamps and put back.
 */

/** A place where packets are missing, in seconds. */
interface Gap {
  readonly stop: number;
  readonly resume: number;
}

/** Codecs whose packets are of different lengths by design: shorter jumps may be none. */
const VARIABLE_CODECS = new Set(['opus', 'vorbis']);
const LEAST_GAP_OF_VARIABLE_SECONDS = 0.1;
/** Matroska rounds timestamps to 1 ms. */
const ROUNDING_SECONDS = 0.002;
/** How slowly the usual packet length follows the packets. */
const SMOOTHING = 1 / 8;

/** Gives decoded sound its true place. Times must be asked for in order. */
export class GapClock {
  readonly #packets: AsyncIterator<{ readonly timestamp: number }>;
  readonly #isVariable: boolean;
  #shift = 0;
  /** Timestamp of the last packet that was looked at. */
  #last = -Infinity;
  /** From one packet to the next. */
  #usual: number | null = null;
  #gap: Gap | null = null;
  #ended = false;

  /** @param packets in order, from the one that decoding starts with */
  constructor(packets: AsyncIterable<{ readonly timestamp: number }>, codec: string) {
    this.#packets = packets[Symbol.asyncIterator]();
    this.#isVariable = VARIABLE_CODECS.has(codec);
  }

  /**
   * @param decoded time at which the decoder put a block, in seconds
   * @param duration of the block, in seconds
   * @returns its true time, in seconds
   */
  async place(decoded: number, duration: number): Promise<number> {
    // As a rule a block is what one packet gives. A gap can follow the first packet already.
    this.#usual ??= duration;
    for (;;) {
      const time = decoded + this.#shift;
      while (!this.#gap && !this.#ended && this.#last <= time + this.#usual) await this.#advance(this.#usual);
      const gap = this.#gap;
      // The decoder's clock may be some milliseconds off the packets', by the delay of the encoder.
      if (!gap || time < gap.stop - this.#usual / 2) return time;
      // Decoders that do respect the timestamps are beyond the gap already.
      if (time < (gap.stop + gap.resume) / 2) this.#shift += gap.resume - gap.stop;
      this.#gap = null;
    }
  }

  async close(): Promise<void> {
    await this.#packets.return?.();
  }

  async #advance(usual: number): Promise<void> {
    const result = await this.#packets.next();
    if (result.done === true) {
      this.#ended = true;
      return;
    }
    const { timestamp } = result.value;
    const last = this.#last;
    const step = timestamp - last;
    this.#last = timestamp;
    if (last === -Infinity || step <= 0) return;
    const least = this.#isVariable ? LEAST_GAP_OF_VARIABLE_SECONDS : usual / 2 + ROUNDING_SECONDS;
    if (step - usual > least) this.#gap = { stop: last + usual, resume: timestamp };
    else this.#usual = usual + (step - usual) * SMOOTHING;
  }
}
