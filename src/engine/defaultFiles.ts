import type { FileBase } from '../util/fileBase';


/** Base URLs of models and other data files, by kind. */
export interface FileBases {
  /** Contains `<model id>/manifest.json` and the files that the manifests list. */
  readonly models: FileBase;
  /** Contains the ONNX Runtime files. */
  readonly runtime: FileBase;
  /** Contains the golden outputs, `<model id>.zip`. */
  readonly goldens: FileBase;
}

/**
 * The default locations: in the app, folders beside the page. The npm package replaces this module with
 * `packagedFiles.ts`.
 */
export function defaultFiles(): Promise<FileBases> {
  const beside = (folder: string): string => new URL(folder, document.baseURI).href;
  return Promise.resolve({ models: beside('models/'), runtime: beside('ort/'), goldens: beside('goldens/') });
}
