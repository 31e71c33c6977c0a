/**
 * Builds the documentation's site into docs/.vitepress/dist: the reference from the doc comments, the widget's tables from
 * its source, the pages. Fails on any warning and on a link that leads nowhere.
 *
 *     npm run docs            all of it
 *     npm run docs:dev        all but the site, which is then served and follows the pages
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { deadLinks } from './links';
import { ROOT } from './pages';
import { nameModules } from './reference';
import { widgetTables, type CustomElements } from './widgetTables';

const DOCS = join(ROOT, 'docs');
const SITE = join(DOCS, '.vitepress', 'dist');
/** Of the package; scripts/package/customElements.ts makes it of the widget's source. */
const CUSTOM_ELEMENTS = join(ROOT, 'packages', 'voxlane', 'custom-elements.json');

/** Runs a tool of the repository; what it prints is shown, and any of it that is a warning is a failure. */
function run(...command: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${String(status)}`);
  const warning = /^.*\b(warning|warn)\b.*$/im.exec(stdout + stderr)?.[0];
  if (warning !== undefined && !/\b0 warnings\b/.test(warning)) throw new Error(`${command[0]!} warns: ${warning}`);
}

function makeReference(): void {
  rmSync(join(DOCS, 'api'), { recursive: true, force: true });
  run('node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json');
  nameModules(join(DOCS, 'api'));
}

function makeWidgetTables(): void {
  const manifest = JSON.parse(readFileSync(CUSTOM_ELEMENTS, 'utf8')) as CustomElements;
  mkdirSync(join(DOCS, 'parts'), { recursive: true });
  writeFileSync(join(DOCS, 'parts', 'widget.md'), widgetTables(manifest, 'voxlane-diarizer'));
}

function makeSite(): void {
  run('node_modules/vitepress/bin/vitepress.js', 'build', 'docs');
  const files = new Map(
    readdirSync(SITE, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(SITE, path)).isFile())
      .map((path) => [relative('.', path).split(sep).join('/'), path.endsWith('.html') ? readFileSync(join(SITE, path), 'utf8') : ''] as const),
  );
  const dead = deadLinks(files, process.env.VOXLANE_DOCS_BASE ?? '/');
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`);
  const numPages = Array.from(files.keys()).filter((path) => path.endsWith('.html')).length;
  console.log(`${numPages} pages are in ${relative(ROOT, SITE)}; every link leads somewhere`);
}

makeReference();
makeWidgetTables();
if (process.argv.includes('--dev')) {
  spawnSync(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'dev', 'docs'], { cwd: ROOT, stdio: 'inherit' });
} else {
  makeSite();
}
