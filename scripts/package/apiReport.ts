import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as ApiExtractor from '@microsoft/api-extractor';
import { CODE_PACKAGE, ENTRIES } from './entries';

// Node cannot detect the exports of this CommonJS package from a module.
const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor') as typeof ApiExtractor;

/** The package declares an ambient const enum, which cannot be used with `isolatedModules`. */
const LEVEL = { none: 'none', warning: 'warning', error: 'error' } as unknown as Readonly<
  Record<'none' | 'warning' | 'error', ApiExtractor.ExtractorLogLevel>
>;

/** Folder of the committed reports. Changes of the public API show up as changes of these files in reviews. */
export const REPORTS = join(CODE_PACKAGE, 'api');

export interface ApiFinding {
  readonly entry: string;
  readonly problem: string;
}

/**
 * Compares the declarations of the built entries with the committed reports.
 *
 * @param update writes the reports instead of comparing
 * @param folder folder of the declarations, `<entry>.d.ts`
 * @returns a finding for each entry that differs, and for each type that an entry uses but does not export
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
      // Use the same line endings everywhere, regardless of Git settings.
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
      // A difference of the report is reported below with a better message.
      if (isNews && !message.messageId.startsWith('console-')) findings.push({ entry, problem: message.text });
      message.handled = true;
    },
  });
  if (update || !(apiReportChanged || isNew)) return findings;
  const problem = `the exports differ from ${entry}.api.md: review the difference, describe it in CHANGELOG.md, and run npm run package -- --update-api`;
  return [...findings, { entry, problem }];
}
