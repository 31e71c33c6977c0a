import { Diarizer } from './diarizer';
import { DiarizerShares, type DiarizerShare } from './diarizerShares';
import { checkDiarizerNames } from './optionNames';
import { checkDiarizerOptions } from './options';
import type { DiarizerOptions } from './types';

export type { DiarizerShare } from './diarizerShares';

let shares: DiarizerShares | undefined;

/**
 * A share in the page's diarizer of these options: all who ask for the same have one set of workers, and their runs take
 * turns. Starts nothing until the first `diarize`. Every share's `onDownload` is called while a run of its own goes on.
 *
 * @throws VoxlaneError `options`
 * @example
 * const share = shareDiarizer();
 * const { turns } = await share.diarize(file);
 * share.release();
 */
export function shareDiarizer(options: DiarizerOptions = {}): DiarizerShare {
  checkDiarizerNames(options);
  const checked = checkDiarizerOptions(options, document.baseURI);
  shares ??= new DiarizerShares((own) => Diarizer.create(own));
  return shares.share(options, checked);
}
