import type { FileBase } from '../util/fileBase';


/** Where the files that are not code are, by kind. */
export interface FileBases {
  /** Holds `<model id>/manifest.json` and the files that the manifests name. */
  readonly models: FileBase;
  /** Holds ONNX Runtime's files. */
  readonly runtime: FileBase;
  /** Holds `<model id>.zip`, golden outputs. */
  readonly goldens: FileBase;
}

/**
 * Where they are unless options say otherwise: in the app, in folders beside the page. The npm package has
 * `packagedFiles.ts` in this module's place.
 */
export function defaultFiles(): Promise<FileBases> {
  const beside = (folder: string): string => new URL(folder, document.baseURI).href;
  return Promise.resolve({ models: beside('models/'), runtime: beside('ort/'), goldens: beside('goldens/') });
}
