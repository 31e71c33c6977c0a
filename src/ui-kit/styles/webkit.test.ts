import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Every style sheet of the page and the widget, by path. */
const sheets = ['src/app/styles', 'src/panel/styles', 'src/ui-kit/styles', 'src/widget/styles'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.css'))
    .map((name) => [`${folder}/${name}`, readFileSync(`${folder}/${name}`, 'utf8')] as const),
);

describe('style sheets in WebKit', () => {
  it('set only the line in the shorthand text-decoration', () => {
    expect(sheets.length).toBeGreaterThan(20);
    // WebKit ignores the whole declaration if it has a thickness. It supports each longhand.
    const longer = sheets.flatMap(([path, css]) => [...css.matchAll(/text-decoration:\s*(\S+ [^;]*);/g)].map(([declaration]) => `${path}: ${declaration}`));
    expect(longer).toEqual([]);
  });
});
