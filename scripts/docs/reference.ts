import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What users import, by the folder that TypeDoc names after the source. */
export const ENTRY_NAMES: Readonly<Record<string, string>> = {
  index: 'voxlane',
  'entries/widget': 'voxlane/widget',
  'entries/formats': 'voxlane/formats',
  'entries/score': 'voxlane/score',
  'entries/compare': 'voxlane/compare',
};

/**
 * Names the modules of the reference as they are imported, and not as their source is called.
 *
 * @param folder of the reference
 */
export function nameModules(folder: string): void {
  const change = (path: string, edit: (text: string) => string): void => {
    const text = readFileSync(join(folder, path), 'utf8');
    const edited = edit(text);
    if (edited === text) throw new Error(`${path} of the reference has not the form that is expected`);
    writeFileSync(join(folder, path), edited);
  };
  for (const [source, name] of Object.entries(ENTRY_NAMES)) {
    change(join(source, 'index.md'), (text) => text.replace(/^# .*$/m, `# ${name}`));
    change('index.md', (text) => text.replace(`[${source}](`, `[${name}](`));
  }
  change('index.md', (text) => text.replace(/^# .*$/m, '# API reference').replace(/^## Modules$/m, INTRODUCTION));
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // The kind stands before every name: `Interface: Turn`. The page's title in the search and the tab is the name.
    if (path.endsWith('.md') && !path.endsWith('index.md')) withTitle(join(folder, path));
  }
}

const INTRODUCTION = `Made of the doc comments of the source. The same stands in the \`.d.ts\` files, where editors show it.

## What can be imported`;

function withTitle(path: string): void {
  const text = readFileSync(path, 'utf8');
  const name = /^# .*?: (?:.*\.)?([\w$]+)/m.exec(text)?.[1];
  if (name !== undefined) writeFileSync(path, `---\ntitle: ${name}\n---\n\n${text}`);
}
