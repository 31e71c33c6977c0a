import type { Source } from './state';
import { text } from './text';

/** @param companions files that came along with it */
export function fileSource(file: File, companions: readonly File[] = []): Source {
  return { name: file.name, load: () => Promise.resolve(file), companions };
}

/** The recording that comes with the page. */
export function sampleSource(): Source {
  const name = text.empty.sampleName;
  return {
    name,
    async load(signal) {
      const response = await fetch(new URL(name, document.baseURI), { signal });
      // A server with a fallback page answers 200 with HTML for a file it does not have.
      const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
      if (!response.ok || isPage) {
        throw Object.assign(new Error(text.empty.sampleMissing(String(response.status))), {
          code: null,
          problem: text.empty.sampleMissing(isPage ? text.empty.sampleNotFound : text.empty.sampleStatus(response.status)),
          remedy: text.empty.sampleRemedy,
        });
      }
      return response.blob();
    },
  };
}
