/** The FFT's factors exp(-2πik / `size`) for k in 0 … `size` - 1: `cosines` their real, `sines` their imaginary parts. */
export function twiddles(size: number): { cosines: Float64Array; sines: Float64Array } {
  return {
    cosines: Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size)),
    sines: Float64Array.from({ length: size }, (_, k) => -Math.sin((2 * Math.PI * k) / size)),
  };
}

/**
 * Power spectrum of a real signal by an in-place radix-2 complex FFT, in float64.
 *
 * Written here rather than taken from a library because it is the plain reference that the GPU kernel is
 * compared with: both use the same precomputed twiddles.
 */
export class PowerSpectrum {
  private readonly real: Float64Array;
  private readonly imaginary: Float64Array;
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly reversed: Uint32Array;

  /** @param size number of points, a power of two */
  constructor(readonly size: number) {
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    ({ cosines: this.cosines, sines: this.sines } = twiddles(size));
    const bits = Math.log2(size);
    this.reversed = Uint32Array.from({ length: size }, (_, index) => {
      let result = 0;
      for (let bit = 0; bit < bits; bit++) result |= ((index >> bit) & 1) << (bits - 1 - bit);
      return result;
    });
  }

  /**
   * |FFT|² of `signal`, for the bins below the Nyquist frequency.
   *
   * @param signal axes (sample), `size` values
   * @param power written: axes (bin), `size / 2` values
   */
  compute(signal: Float64Array, power: Float64Array): void {
    const { size, real, imaginary, cosines, sines, reversed } = this;
    for (let i = 0; i < size; i++) real[i] = signal[reversed[i]!]!;
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const low = start + k;
          const high = low + half;
          const c = cosines[k * stride]!;
          const s = sines[k * stride]!;
          const re = real[high]! * c - imaginary[high]! * s;
          const im = real[high]! * s + imaginary[high]! * c;
          real[high] = real[low]! - re;
          imaginary[high] = imaginary[low]! - im;
          real[low] = real[low]! + re;
          imaginary[low] = imaginary[low]! + im;
        }
      }
    }
    for (let bin = 0; bin < size / 2; bin++) {
      power[bin] = real[bin]! * real[bin]! + imaginary[bin]! * imaginary[bin]!;
    }
  }
}
