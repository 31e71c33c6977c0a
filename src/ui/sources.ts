import { VoxlaneError } from '../util/errors';
import { fetchFile, isMissing } from '../util/fetchFile';
import type { Source } from './state';
import { text } from './text';

/** @param companions files that came along with it */
export function fileSource(file: File, companions: readonly File[] = []): Source {
  return { name: file.name, load: () => Promise.resolve(file), companions };
}

/** The recording that comes with the page. Its `load` throws VoxlaneError `audio-missing` or `source-missing`. */
export function sampleSource(): Source {
  const name = text.empty.sampleName;
  const missing = (why: string, cause?: unknown, status?: number): VoxlaneError =>
    new VoxlaneError(
      {
        code: isMissing(status) ? 'source-missing' : 'audio-missing',
        problem: `The sample recording could not be fetched: ${why}`,
        expected: `${name} beside this page`,
        remedy: 'Check the connection and try again, or choose a recording of your own',
      },
      { cause },
    );
  return {
    name,
    load: (signal) =>
      fetchFile(
        new URL(name, document.baseURI),
        async (response) => {
          // A server with a fallback page answers 200 with HTML for a file it does not have.
          if (response.headers.get('content-type')?.startsWith('text/html')) throw missing('the server answered with a web page in its place');
          return response.blob();
        },
        missing,
        signal,
      ),
  };
}
