import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VoxlaneDiarizerElement } from '../../src/widget/element';
import { PUBLIC_TOKENS } from '../../src/widget/styles/sheet';
import { customElements, elementDeclaration } from './customElements';
import { ROOT } from './entries';

const FOLDER = join(ROOT, 'src/widget');
const sources = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|css)$/.test(path) && !path.includes('.test.'))
  .map((path) => readFileSync(join(FOLDER, path), 'utf8'));

/** First groups of the patterns' matches in the sources. Comments are excluded, because they are the checked text. */
function said(...patterns: readonly RegExp[]): string[] {
  // Only at the start of a line, because `audio/*` in a string is not a comment.
  const code = sources.map((source) => source.replace(/^\s*\/\*[\s\S]*?\*\//gm, ''));
  return [...new Set(patterns.flatMap((pattern) => code.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name!))))].sort();
}

const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name).sort();
const declaration = elementDeclaration();

describe('custom-elements.json', () => {
  it('contains every observed attribute', () => {
    expect(names(declaration.attributes)).toEqual([...VoxlaneDiarizerElement.observedAttributes].sort());
  });

  it('contains exactly the dispatched events', () => {
    const dispatched = said(/new (?:Custom)?Event\('([a-z]+)'/g);
    expect(dispatched.length).toBeGreaterThan(3);
    expect(names(declaration.events)).toEqual(dispatched);
  });

  it('contains exactly the parts', () => {
    const parts = said(/\bpart: '([a-z-]+)'/g, /\browPart: '([a-z-]+)'/g, /'part', '([a-z-]+)'/g, /'part', isPrimary \? '([a-z-]+)'/g);
    expect(parts.length).toBeGreaterThan(10);
    expect(names(declaration.cssParts)).toEqual(parts);
  });

  it('contains exactly the slots', () => {
    const named = said(/h\('slot', \{ name: '([a-z]+)' \}/g);
    expect(names(declaration.slots)).toEqual([...(said(/(h\('slot', \{\})/g).length > 0 ? [''] : []), ...named]);
  });

  it('contains exactly the public custom properties', () => {
    const properties = [...PUBLIC_TOKENS.map((name) => `--voxlane-${name}`), ...said(/var\((--voxlane-[a-z-]+)/g).filter((name) => !name.endsWith('-'))];
    expect(names(declaration.cssProperties)).toEqual(properties.sort());
  });

  it('describes each of them', () => {
    const { attributes, events, slots, cssParts, cssProperties, members } = declaration;
    const silent = [...attributes, ...events, ...slots, ...cssParts, ...cssProperties, ...members].filter(({ description }) => !description?.trim());
    expect(silent).toEqual([]);
  });

  it('names the module of the package, but no files of the repository', () => {
    expect(customElements()).not.toMatch(/src\/|\.ts"/);
    expect(JSON.parse(customElements())).toMatchObject({ modules: [{ path: 'dist/widget.js', declarations: [{ tagName: 'voxlane-diarizer' }] }] });
  });
});
