/**
 * Endings of audio and video files, without the dot. In folders, other files are left out. Formats that cannot be read are in the list, so
 * that such recordings are reported and not silently left out.
 */
export const AUDIO_ENDINGS: readonly string[] = (
  'wav wave bwf w64 rf64 mp3 mp2 flac ogg oga ogv opus spx m4a m4b mp4 m4v mov qt 3gp aac adts webm weba mkv mka ts mts m2ts mpg mpeg ' +
  'amr aif aiff au caf wma wmv avi ac3 sph'
).split(' ');
