import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PUBLIC_TOKENS, readTokens, widgetCss } from './sheet';

// Vitest imports CSS as empty text.
const read = (path: string): string => readFileSync(path, 'utf8');
const source = read('src/ui-kit/styles/tokens.css');
const tokens = readTokens(source);
const css = widgetCss(source, ['widget', 'controls', 'result', 'touch'].map((name) => read(`src/widget/styles/${name}.css`)));

describe("the widget's CSS", () => {
  it('has every token of the page', () => {
    expect(tokens.size).toBeGreaterThan(30);
    for (const name of tokens.keys()) expect(css).toContain(`--vx-${name}: `);
    expect([...tokens.keys()]).toEqual(expect.arrayContaining([...PUBLIC_TOKENS]));
  });

  it('uses only declared properties', () => {
    const declared = new Set([...css.matchAll(/(--[a-z0-9-]+):/g)].map(([, name]) => name));
    const used = new Set([...css.matchAll(/var\((--[a-z0-9-]+)/g)].map(([, name]) => name!));
    // Set by script: the first three on the element, the height on a row, the color on a swatch.
    const set = ['--vx-axis-height', '--vx-tracks-top', '--vx-track-height', '--vx-label-height', '--row-height', '--color'];
    expect(used.size).toBeGreaterThan(20);
    expect([...used].filter((name) => !declared.has(name) && !set.includes(name) && !name.startsWith('--voxlane-'))).toEqual([]);
  });

  it('scales every rem, except in queries, where calc() with a variable is invalid', () => {
    expect(css.replaceAll('var(--voxlane-unit, 1rem)', '')).not.toMatch(/\drem\b/);
    expect([...css.matchAll(/@container[^{]*/g)].filter(([query]) => query.includes('calc'))).toEqual([]);
  });
});
