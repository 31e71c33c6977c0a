import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Import names of the modules, by TypeDoc's folder, which is named after the source. */
export const ENTRY_NAMES: Readonly<Record<string, string>> = {
  index: 'voxlane',
  'entries/widget': 'voxlane/widget',
  'entries/react': 'voxlane/react',
  'entries/formats': 'voxlane/formats',
  'entries/score': 'voxlane/score',
  'entries/compare': 'voxlane/compare',
};

/**
 * Renames the modules of the reference from their source names to their import names.
 *
 * @param folder folder of the reference
 */
export function nameModules(folder: string): void {
  const change = (path: string, edit: (text: string) => string): void => {
    const text = readFileSync(join(folder, path), 'utf8');
    const edited = edit(text);
    if (edited === text) throw new Error(`${path} of the reference does not have the expected form`);
    writeFileSync(join(folder, path), edited);
  };
  for (const [source, name] of Object.entries(ENTRY_NAMES)) {
    change(join(source, 'index.md'), (text) => text.replace(/^# .*$/m, `# ${name}`));
    change('index.md', (text) => text.replace(`[${source}](`, `[${name}](`));
  }
  change('index.md', (text) => text.replace(/^# .*$/m, '# API reference').replace(/^## Modules$/m, INTRODUCTION));
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // Headings start with the kind (`Interface: Turn`). Use only the name as title in the search and the tab.
    if (path.endsWith('.md') && !path.endsWith('index.md')) withTitle(join(folder, path));
  }
}

const INTRODUCTION = `Generated from the doc comments of the source. The \`.d.ts\` files contain the same text for editors.

## Modules`;

function withTitle(path: string): void {
  const text = readFileSync(path, 'utf8');
  const name = /^# .*?: (?:.*\.)?([\w$]+)/m.exec(text)?.[1];
  if (name !== undefined) writeFileSync(path, `---\ntitle: ${name}\n---\n\n${text}`);
}
