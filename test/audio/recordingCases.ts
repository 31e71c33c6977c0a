/** Joined, damaged and unusual recordings in `e2e/fixtures/cases`. */
import type { RecordingNoteCode } from '../../src/index';

/** Files that the library reads, with their duration in seconds as decoded by FFmpeg, and their notes. */
export const READ_CASES: readonly (readonly [file: string, seconds: number, ...notes: RecordingNoteCode[]])[] = [
  ['mp3_two_files_joined_xing_of_first.mp3', 8.28, 'joined'],
  ['mp3_mono_then_stereo.mp3', 8.25, 'joined'],
  ['mp3_partial_download.mp3', 2.05, 'cut-off'],
  ['ogg_opus_chained_4s_4s.opus', 8.19, 'joined'],
  ['opus_page_missing_mid.opus', 30, 'data-missing'],
  // FFmpeg decodes 8.13 s, because it loses two more frames around the damaged one.
  ['aac_adts_two_zero_bytes_in_the_middle.aac', 8.256, 'bytes-skipped'],
  ['aac_adts_starts_mid_frame.aac', 8.06, 'bytes-skipped'],
  ['m4a_edit_list_keeps_0-2s_and_6-8s.m4a', 4.03],
  ['obs_silent_track1_speech_track2.mp4', 4, 'several-tracks'],
  ['flac_in_ogg.ogg', 4.1, 'browser-decoder'],
  ['wav_placeholder_2000000000_pocket_tts.wav', 4.1, 'size-ignored'],
  ['wav_data_22_bytes_too_long.wav', 4.1, 'cut-off'],
  ['stereo_phase_inverted.wav', 4.1, 'channels-cancel'],
];

/** Files in codecs that neither the library nor Chromium decodes, with the name in the error. */
export const REJECTED_CASES = [
  ['ac3.mkv', 'AC-3'],
  ['alac.m4a', 'ALAC'],
  ['amr.3gp', 'AMR'],
  ['wav_ima_adpcm.wav', 'IMA ADPCM'],
  ['speex.spx', 'Speex'],
] as const;
