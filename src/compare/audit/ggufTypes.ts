/** How many values lie together, in how many bytes. */
export interface Block {
  readonly numValues: number;
  readonly numBytes: number;
}

const block = (numValues: number, numBytes: number): Block => ({ numValues, numBytes });

/** Most quantised types go by blocks of 32 values with one factor, or by 256 with several. */
const SMALL = 32;
const LARGE = 256;

/**
 * Blocks of the types that files have, as in `GGML_QUANT_SIZES` of llama.cpp's gguf-py: the library gives their names,
 * and a file only where each tensor begins.
 */
export const BLOCKS: Partial<Record<string, Block>> = {
  F32: block(1, 4),
  F16: block(1, 2),
  BF16: block(1, 2),
  F64: block(1, 8),
  I8: block(1, 1),
  I16: block(1, 2),
  I32: block(1, 4),
  I64: block(1, 8),
  Q4_0: block(SMALL, 18),
  Q4_1: block(SMALL, 20),
  Q5_0: block(SMALL, 22),
  Q5_1: block(SMALL, 24),
  Q8_0: block(SMALL, 34),
  IQ4_NL: block(SMALL, 18),
  MXFP4: block(SMALL, 17),
  Q2_K: block(LARGE, 84),
  Q3_K: block(LARGE, 110),
  Q4_K: block(LARGE, 144),
  Q5_K: block(LARGE, 176),
  Q6_K: block(LARGE, 210),
  IQ1_S: block(LARGE, 50),
  IQ1_M: block(LARGE, 56),
  IQ2_XXS: block(LARGE, 66),
  IQ2_XS: block(LARGE, 74),
  IQ2_S: block(LARGE, 82),
  IQ3_XXS: block(LARGE, 98),
  IQ3_S: block(LARGE, 110),
  IQ4_XS: block(LARGE, 136),
  TQ1_0: block(LARGE, 54),
  TQ2_0: block(LARGE, 66),
};
