/** What was dropped or chosen, told apart by name. */
export interface SortedFiles {
  readonly models: readonly File[];
  /** What is meant as a recording: all that is nothing else. */
  readonly recordings: readonly File[];
  /** Turns, or a transcript: RTTM, JSON, SRT, WebVTT; and UEM. */
  readonly companions: readonly File[];
}

/** What a companion of a recording holds, by the end of its name; `json` holds either. */
export type CompanionKind = 'rttm' | 'uem' | 'json' | 'subtitles';

export function companionKind({ name }: File): CompanionKind | null {
  const end = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase();
  if (end === 'rttm' || end === 'uem' || end === 'json') return end;
  return end === 'srt' || end === 'vtt' || end === 'tsv' ? 'subtitles' : null;
}

/** Recognisers write text; files of turns have none. Some write both, and then it is the text that is new here. */
export async function isTranscript(file: File): Promise<boolean> {
  const kind = companionKind(file);
  return kind === 'subtitles' || (kind === 'json' && (await holds(file, /"(?:text|word|speech)"\s*:/)));
}

/** Size of one step of the search: searching the whole text of a large file would block the page. */
const PART_BYTES = 1_000_000;
/** Parts overlap, so that a match lies entirely in one of them. */
const OVERLAP_BYTES = 100;

/** Whether a pattern of ASCII characters matches anywhere in a file. */
export async function holds(file: File, pattern: RegExp): Promise<boolean> {
  for (let from = 0; from === 0 || from < file.size; from += PART_BYTES) {
    if (pattern.test(await file.slice(from, from + PART_BYTES + OVERLAP_BYTES).text())) return true;
  }
  return false;
}

const isModel = ({ name }: File): boolean => /\.onnx$/i.test(name);

export function sortFiles(files: Iterable<File>): SortedFiles {
  const all = [...files];
  return {
    models: all.filter(isModel),
    companions: all.filter((file) => companionKind(file) !== null),
    recordings: all.filter((file) => !isModel(file) && companionKind(file) === null),
  };
}
