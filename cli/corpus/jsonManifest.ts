/** Manifests of JSON lines: NeMo entries and Lhotse recordings, which may be mixed. */
import { textLines } from './jsonLines';
import { numberField, pathFrom, type Read, readOr, Refused, type Source, speakersField, textField } from './source';

type Fields = Readonly<Record<string, unknown>>;

const EXPECTED = 'a NeMo entry with audio_filepath, or a Lhotse recording with id and sources';

/**
 * Reads a manifest line by line.
 *
 * - NeMo: `audio_filepath`, `offset`, `duration`, `num_speakers`, `rttm_filepath`, `uem_filepath`, `uniq_id`.
 * - Lhotse `Recording`: `id`, `sources` with one file, no `transforms`.
 *
 * @throws Error with a one-line message if the file cannot be read
 */
export async function* readJsonManifest(path: string): AsyncGenerator<Read, void, undefined> {
  for await (const { number, text } of textLines(path)) {
    const source = `${path}, line ${number}`;
    yield readOr(source, () => readEntry(path, source, parseLine(text)));
  }
}

function parseLine(text: string): Fields {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw refused('The line is not JSON', 'one JSON object per line', 'Write the manifest as JSON lines');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw refused('The line is not a JSON object', EXPECTED, 'Write the manifest as JSON lines');
  }
  return content as Fields;
}

function readEntry(manifest: string, source: string, fields: Fields): Source {
  if ('audio_filepath' in fields || 'audio_filename' in fields) return nemoEntry(manifest, source, fields);
  if ('sources' in fields) return lhotseRecording(manifest, source, fields);
  const isCut = 'recording' in fields && 'start' in fields;
  const keys = Object.keys(fields).slice(0, 6).join(', ');
  const problem = isCut ? 'The line is a Lhotse cut, which is not supported' : `The line has neither audio_filepath nor sources, only ${keys || 'no fields'}`;
  throw refused(problem, EXPECTED, isCut ? 'Use the recordings manifest, or a NeMo manifest with offset and duration' : 'Correct the line of the manifest');
}

function nemoEntry(manifest: string, source: string, fields: Fields): Source {
  if (Array.isArray(fields.audio_filepath)) {
    throw refused('The entry has several audio files', 'one path as audio_filepath', 'Write one line per file');
  }
  const path = textField(fields, 'audio_filepath') ?? textField(fields, 'audio_filename');
  if (path === undefined) throw refused('The field audio_filepath is empty', 'the path of a recording', 'Correct the line of the manifest');
  const [rttm, uem] = [textField(fields, 'rttm_filepath'), textField(fields, 'uem_filepath')];
  return {
    source,
    path: pathFrom(manifest, path),
    name: textField(fields, 'uniq_id'),
    startSeconds: numberField(fields, 'offset'),
    durationSeconds: numberField(fields, 'duration'),
    numSpeakers: speakersField(fields, 'num_speakers'),
    referenceRttm: rttm && pathFrom(manifest, rttm),
    uem: uem && pathFrom(manifest, uem),
  };
}

function lhotseRecording(manifest: string, source: string, fields: Fields): Source {
  const { sources, transforms } = fields;
  const files = Array.isArray(sources) ? (sources as readonly unknown[]) : [];
  const [file] = files;
  if (files.length !== 1 || typeof file !== 'object' || file === null) {
    throw refused(`The recording has ${files.length} sources`, 'one file', 'Mix the channels into one file, or write one recording per file');
  }
  const { type, source: path } = file as Fields;
  if (type !== 'file' || typeof path !== 'string' || path === '') {
    throw refused(`The source of the recording has the type ${JSON.stringify(type)}`, 'the type "file" with a path', 'Save the recording as a file first');
  }
  if (Array.isArray(transforms) && transforms.length > 0) {
    throw refused('The recording has transforms, which change its audio', 'a recording without transforms', 'Save the transformed audio as a file first');
  }
  return { source, path: pathFrom(manifest, path), recording: textField(fields, 'id') };
}

const refused = (problem: string, expected: string, remedy: string): Refused => new Refused({ code: 'entry', problem, expected, remedy });
