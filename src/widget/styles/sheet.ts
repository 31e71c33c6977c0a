import tokens from '../../ui-kit/styles/tokens.css?raw';
import controls from './controls.css?raw';
import result from './result.css?raw';
import touch from './touch.css?raw';
import widget from './widget.css?raw';

/**
 * Tokens of the page that a page with the widget may set, as `--voxlane-<name>`. The widget's own sheets know them as
 * `--vx-<name>`: custom properties reach slotted content, where a page's own `--accent` must keep its meaning.
 */
export const PUBLIC_TOKENS = [
  'accent',
  'accent-hover',
  'accent-wash',
  'on-accent',
  'surface',
  'surface-raised',
  'track',
  'ink',
  'ink-muted',
  'rule',
  'rule-strong',
  'radius',
  'radius-large',
  'sans',
  'mono',
  'speaker-1',
  'speaker-2',
  'speaker-3',
  'speaker-4',
  'speaker-5',
  'speaker-6',
  'speaker-7',
  'speaker-8',
] as const;

/** Declarations of `tokens.css`: its first block holds all of them, by name. */
export function readTokens(css: string): Map<string, string> {
  const block = css.slice(css.indexOf('{') + 1, css.indexOf('}'));
  return new Map([...block.matchAll(/--([a-z0-9-]+):\s*([^;]+);/g)].map(([, name, value]) => [name!, value!.replace(/\s+/g, ' ')]));
}

/** The page's root decides what a rem is; some pages make it 10 px. One property scales all that the widget measures in it. */
const scalable = (css: string): string => css.replace(/(\d*\.?\d+)rem\b/g, 'calc($1 * var(--voxlane-unit, 1rem))');

/**
 * All of the widget's CSS.
 *
 * @param tokens text of the page's `tokens.css`
 * @param rules of the widget, in the names with `--vx-`
 */
export function widgetCss(tokens: string, rules: readonly string[]): string {
  const declared = [...readTokens(tokens)];
  const isPublic = (name: string): boolean => (PUBLIC_TOKENS as readonly string[]).includes(name);
  const own = declared.map(([name, value]) => `--vx-${name}: ${isPublic(name) ? `var(--voxlane-${name}, ${value})` : value};`);
  // Painter and swatch are the page's, and know the page's names.
  const aliases = declared.map(([name]) => `--${name}: var(--vx-${name});`);
  return scalable([`.widget { ${own.join(' ')} }`, `.probe, .swatch { ${aliases.join(' ')} }`, ...rules].join('\n'));
}

/** One for each document, shared by all widgets in it. */
const sheets = new WeakMap<Document, CSSStyleSheet>();

/**
 * The widget's sheet, made by script: under a Content-Security-Policy without `unsafe-inline` a style element would be
 * ignored. A sheet works only in the document that it was made in.
 */
export function sheetFor(owner: Document): CSSStyleSheet {
  const known = sheets.get(owner);
  if (known) return known;
  const sheet = new (owner.defaultView ?? globalThis).CSSStyleSheet();
  sheet.replaceSync(widgetCss(tokens, [widget, controls, result, touch]));
  sheets.set(owner, sheet);
  return sheet;
}
