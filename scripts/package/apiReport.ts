import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as ApiExtractor from '@microsoft/api-extractor';
import { CODE_PACKAGE, ENTRIES } from './entries';

// The package is CommonJS whose exports Node does not see from a module.
const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor') as typeof ApiExtractor;

/** The package's enum is of ambient constants, which `isolatedModules` does not let anybody use. */
const LEVEL = { none: 'none', warning: 'warning', error: 'error' } as unknown as Readonly<
  Record<'none' | 'warning' | 'error', ApiExtractor.ExtractorLogLevel>
>;

/** Where the reports are kept: a change of what users see is a change of these files, for whoever reviews it. */
export const REPORTS = join(CODE_PACKAGE, 'api');

export interface ApiFinding {
  readonly entry: string;
  readonly problem: string;
}

/**
 * Compares what the built entries declare with the reports that were committed.
 *
 * @param update writes the reports instead
 * @param folder of the declarations, `<entry>.d.ts`
 * @returns a finding for each entry that differs, and for each type that an entry mentions without exporting it
 */
export function checkApi(update: boolean, folder = join(CODE_PACKAGE, 'dist'), reports = REPORTS): ApiFinding[] {
  mkdirSync(reports, { recursive: true });
  const temporary = join(tmpdir(), `voxlane-api-${process.pid}`);
  try {
    return Object.keys(ENTRIES).flatMap((entry) => checkEntry(entry, folder, reports, temporary, update));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function checkEntry(entry: string, folder: string, reports: string, temporary: string, update: boolean): ApiFinding[] {
  const findings: ApiFinding[] = [];
  const declarations = join(folder, `${entry}.d.ts`);
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(CODE_PACKAGE, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: CODE_PACKAGE,
      mainEntryPointFilePath: declarations,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            module: 'ESNext',
            moduleResolution: 'Bundler',
            lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable', 'ESNext.Disposable'],
            types: [],
            skipLibCheck: true,
          },
          files: [declarations],
        },
      },
      apiReport: { enabled: true, reportFileName: `${entry}.api.md`, reportFolder: reports, reportTempFolder: temporary },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // In one form everywhere, whatever Git makes of line ends.
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: LEVEL.warning } },
        extractorMessageReporting: {
          default: { logLevel: LEVEL.none },
          'ae-forgotten-export': { logLevel: LEVEL.warning },
        },
        tsdocMessageReporting: { default: { logLevel: LEVEL.none } },
      },
    },
  });
  const isNew = !existsSync(join(reports, `${entry}.api.md`));
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: update,
    messageCallback: (message) => {
      const isNews = message.logLevel === LEVEL.warning || message.logLevel === LEVEL.error;
      // That the report differs is said below, in our words.
      if (isNews && !message.messageId.startsWith('console-')) findings.push({ entry, problem: message.text });
      message.handled = true;
    },
  });
  if (update || !(apiReportChanged || isNew)) return findings;
  const problem = `what it exports is not what ${entry}.api.md says: look at the difference, write it into CHANGELOG.md, and run npm run package -- --update-api`;
  return [...findings, { entry, problem }];
}
