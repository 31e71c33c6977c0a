/* The MP3 decoder as a WebAssembly module without imports. scripts/minimp3.ts compiles it; mp3InWasm.ts calls it. */
#include <stddef.h>
#include <string.h>

/* There is no C library. The attribute keeps the compiler from replacing the loops by calls of the same functions. */
#define LOOP __attribute__((no_builtin))
typedef unsigned char byte;
/* Eight bytes at any address. */
typedef struct { unsigned long long value; } __attribute__((packed, may_alias)) word;

LOOP void *memset(void *to, int value, size_t bytes) {
  const word pattern = {(byte)value * 0x0101010101010101ull};
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) *(word *)((byte *)to + i) = pattern;
  for (; i < bytes; i++) ((byte *)to)[i] = (byte)value;
  return to;
}

LOOP void *memcpy(void *to, const void *from, size_t bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) *(word *)((byte *)to + i) = *(const word *)((const byte *)from + i);
  for (; i < bytes; i++) ((byte *)to)[i] = ((const byte *)from)[i];
  return to;
}

LOOP void *memmove(void *to, const void *from, size_t bytes) {
  /* Forward, a word is read before it is overwritten. */
  if (to < from) return memcpy(to, from, bytes);
  for (size_t i = bytes; i > 0; i--) ((byte *)to)[i - 1] = ((const byte *)from)[i - 1];
  return to;
}

#define MINIMP3_IMPLEMENTATION
#define MINIMP3_FLOAT_OUTPUT
#define MINIMP3_NO_SIMD
#include "minimp3.h"

#define EXPORT(name) __attribute__((export_name(name)))
/* The longest frame has 2,304 bytes. A packet can contain several. */
#define MAX_INPUT_BYTES 16384

static mp3dec_t decoder;
static mp3dec_frame_info_t info;
static uint8_t input[MAX_INPUT_BYTES];
static float interleaved[MINIMP3_MAX_SAMPLES_PER_FRAME];
static float output[MINIMP3_MAX_SAMPLES_PER_FRAME];

EXPORT("input") uint8_t *input_bytes(void) { return input; }
EXPORT("maxInputBytes") int max_input_bytes(void) { return MAX_INPUT_BYTES; }
/* Axes (channel, sample). */
EXPORT("output") float *output_samples(void) { return output; }
/* Of the last frame. */
EXPORT("channels") int channels(void) { return info.channels; }
EXPORT("sampleRate") int sample_rate(void) { return info.hz; }
EXPORT("consumedBytes") int consumed_bytes(void) { return info.frame_bytes; }

/*
 * Decodes the frame at the start of `bytes` bytes in `input`.
 * Returns its samples per channel; 0 if no complete frame starts there; -1 if the frame is damaged.
 */
EXPORT("decode") int decode(int bytes) {
  info.channels = 0;
  if (bytes <= HDR_SIZE || !hdr_valid(input)) return 0;
  /* With the exact bytes of the frame, the decoder does not search for later frames to confirm the first. */
  const int frame_bytes = hdr_frame_bytes(input, 0) + hdr_padding(input);
  if (frame_bytes <= HDR_SIZE || frame_bytes > bytes) return 0;
  memset(interleaved, 0, sizeof interleaved);
  int samples = mp3dec_decode_frame(&decoder, input, frame_bytes, interleaved, &info);
  if (samples == 0) {
    /* The decoder forgets the header of a damaged frame. In layers I and II, the part before the damage is decoded. */
    if (decoder.header[0] != 0xff && info.layer == 3) return -1;
    /* In layer III, decoding started here, or a part is missing: the frame needs data of earlier frames. It stays silent. */
    samples = hdr_frame_samples(input);
  }
  for (int channel = 0; channel < info.channels; channel++)
    for (int i = 0; i < samples; i++) output[channel * samples + i] = interleaved[i * info.channels + channel];
  return samples;
}
