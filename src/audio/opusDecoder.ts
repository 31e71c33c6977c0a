/** The part of opus-decoder that is loaded for a recording with Opus. */
export { OpusDecoder } from 'opus-decoder';
