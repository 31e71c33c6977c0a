import { withNames, type SpokenTranscript } from '../../transcript/spoken';
import { toTranscriptCsv, toTranscriptJson, toTranscriptSrt, toTranscriptVtt } from '../../transcript/spokenFormats';
import { stem } from '../format';

export const TRANSCRIPT_FORMATS = ['srt', 'vtt', 'csv', 'json'] as const;
export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

const WRITERS: Readonly<Record<TranscriptFormat, { readonly type: string; readonly write: (transcript: SpokenTranscript) => string }>> = {
  srt: { type: 'application/x-subrip', write: toTranscriptSrt },
  vtt: { type: 'text/vtt', write: toTranscriptVtt },
  csv: { type: 'text/csv', write: toTranscriptCsv },
  json: { type: 'application/json', write: toTranscriptJson },
};

export interface TranscriptFile {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

/**
 * A transcript with its speakers as a file.
 *
 * @param names what the speakers are called, by id
 * @param recording name of the recording; `transcript` in the file's name tells it from the turns' own subtitles
 */
export function transcriptFile(
  format: TranscriptFormat,
  transcript: SpokenTranscript,
  names: ReadonlyMap<string, string>,
  recording: string,
): TranscriptFile {
  const { type, write } = WRITERS[format];
  return { name: `${stem(recording)}.transcript.${format}`, type, content: write(withNames(transcript, names)) };
}
