/** Report files of `compare`. They are also written if the command is interrupted. */
import { onEnding } from './endings';
import { requireWritable, warn, writeResult } from './output';

export interface ReportFile {
  readonly path: string;
  /** Content with the results so far. */
  readonly text: () => string;
}

/**
 * Runs `work`, then writes the files, even if `work` throws or a signal ends the process.
 *
 * @throws Error with a one-line message if a file cannot be written, before `work` if possible; errors of `work`
 */
export async function withReports<Result>(files: readonly ReportFile[], work: () => Promise<Result>): Promise<Result> {
  for (const { path } of files) requireWritable(path);
  let isWritten = false;
  const write = (): void => {
    if (isWritten) return;
    isWritten = true;
    for (const { path, text } of files) writeResult(path, text());
  };
  const forget = onEnding(() => {
    try {
      write();
    } catch (error) {
      warn(error instanceof Error ? error.message : String(error));
    }
  });
  try {
    return await work();
  } finally {
    forget();
    write();
  }
}
