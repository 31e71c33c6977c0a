/** Lists: one path per line, or one name per line with a template for the path, as in pyannote.database. */
import { textLines } from './jsonLines';
import { pathFrom, type Read } from './source';

/** Templates of paths. `{uri}` is replaced by the name on the line. */
export interface Templates {
  readonly audio?: string | undefined;
  readonly rttm?: string | undefined;
  readonly uem?: string | undefined;
}

/**
 * Reads a list. Lines that begin with `#` are comments.
 *
 * @throws Error with a one-line message if the file cannot be read
 */
export async function* readList(path: string, templates: Templates): AsyncGenerator<Read, void, undefined> {
  const fill = (template: string, uri: string): string => pathFrom(path, template.replaceAll('{uri}', uri));
  for await (const { number, text } of textLines(path)) {
    const line = text.trim();
    if (line.startsWith('#')) continue;
    const { audio, rttm, uem } = templates;
    yield {
      source: `${path}, line ${number}`,
      path: audio === undefined ? pathFrom(path, line) : fill(audio, line),
      recording: audio === undefined ? undefined : line,
      referenceRttm: rttm && fill(rttm, line),
      uem: uem && fill(uem, line),
    };
  }
}
