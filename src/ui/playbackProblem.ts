/**
 * Why nothing plays. After `no-output` and `stopped` the person can try again; `unplayable` is
 * permanent: the browser cannot decode the file.
 */
export type PlaybackProblem = 'unplayable' | 'no-output' | 'stopped';

/**
 * Messages of browsers whose audio output failed. The HTML standard has no error code for that.
 *
 * - Firefox, without a device: code 3 (decode) and `OnMediaSinkAudioError`, in some versions after
 *   `NS_ERROR_DOM_MEDIA_MEDIASINK_ERR` or `NS_ERROR_DOM_MEDIA_CUBEB_INITIALIZATION_ERR`. `play()` resolves before that, the
 *   element does not pause, and its position goes on (seen in Firefox 153; dom/media/MediaDecoderStateMachine.cpp).
 * - Chromium, without a device: no error, it plays into a null sink (seen in Chromium 156). If a device fails later: code 3
 *   and `AUDIO_RENDERER_ERROR: audio render error` (media/renderers/audio_renderer_impl.cc, `OnRenderError`).
 */
const OUTPUT_FAILED = /MediaSink|CUBEB|AUDIO_RENDERER_ERROR/i;

/**
 * Messages of WebKit, which says the same for a damaged file and for a failed output. WebKitGTK plays on without a device
 * (seen in 2.50) and reports any failed resource as code 2 (MediaPlayerPrivateGStreamer.cpp, `GST_RESOURCE_ERROR`).
 */
const SAYS_NOTHING = /^(media failed to decode)?$/i;

/** What an error of a media element means. */
export function problemOfError({ code, message }: Pick<MediaError, 'code' | 'message'>): PlaybackProblem {
  if (OUTPUT_FAILED.test(message)) return 'no-output';
  if (code === MEDIA_ERR_SRC_NOT_SUPPORTED) return 'unplayable';
  if (code === MEDIA_ERR_DECODE && !SAYS_NOTHING.test(message)) return 'unplayable';
  return 'stopped';
}

/** What a rejection of `play()` means; null if it is no fault. */
export function problemOfRejection(failure: unknown, error: MediaError | null): PlaybackProblem | null {
  const name = failure instanceof DOMException ? failure.name : '';
  // A pause or a seek came before the sound began, or the browser wants a click first.
  if (name === 'AbortError' || name === 'NotAllowedError') return null;
  if (error) return problemOfError(error);
  return name === 'NotSupportedError' ? 'unplayable' : 'stopped';
}

/** As in `MediaError`, which exists in browsers only. */
const MEDIA_ERR_DECODE = 3;
const MEDIA_ERR_SRC_NOT_SUPPORTED = 4;
