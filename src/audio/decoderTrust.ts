/** How far a browser's claim to decode a codec with WebCodecs can be relied on. */
export type DecoderTrust =
  /** Its claims have been verified. */
  | 'verified'
  /** A few packets must be decoded first: see `probeDecoder.ts`. */
  | 'probe'
  /** Its decoder must not be used, not even to try it. */
  | 'avoid';

/** See `decoderTrust`: Safari 26 crashes on the third channel. */
const MAX_CHANNELS_ON_APPLE = 2;

/**
 * Decides by the user agent, because two faults end the process of the page, and no script can catch that or try it.
 *
 * - WebKit on GStreamer (WebKitGTK, WPE): `AudioData.copyTo` crashes the web process for any format and number of
 *   channels, also for data that a script made. `AudioDecoder.isConfigSupported` is true all the same; MP3 and FLAC then
 *   fail with "Decode error", and AAC gives nothing before `flush()`. Seen in WebKitGTK 2.50.6 of Debian 12. Related
 *   upstream: bugs.webkit.org 289946, 291070, 321913. Delete this rule if
 *   `new AudioData({ format: 'f32', … }).copyTo(…)` returns in every WebKitGTK that still gets updates.
 * - WebKit on Apple's platforms: `copyTo` crashes the tab for the third channel and those after it. Safari 26.0; fixed
 *   upstream in December 2025, bugs.webkit.org 302521. Delete this rule when releases of Safari 26 before the fix
 *   are no longer in use.
 *
 * Chromium and Firefox run every audio fixture through WebCodecs in the tests.
 *
 * @param userAgent `navigator.userAgent`, which workers have as well
 * @param channels of the recording
 */
export function decoderTrust(userAgent: string, channels: number): DecoderTrust {
  // All browsers on iOS are WebKit, whatever they are called: Chrome is CriOS there, Firefox is FxiOS.
  // Without a word boundary: headless Chromium is called HeadlessChrome.
  if (/(Chrome|Chromium|Firefox)\/\d/.test(userAgent)) return 'verified';
  // Chromium's own AppleWebKit version is 537.
  const isWebKit = /\bAppleWebKit\/6\d\d/.test(userAgent);
  if (!isWebKit) return 'probe';
  const isApple = /\b(Macintosh|iPhone|iPad|iPod)\b/.test(userAgent);
  return isApple && channels <= MAX_CHANNELS_ON_APPLE ? 'probe' : 'avoid';
}
