import { describe, expect, it } from 'vitest';
import { widgetTables } from './widgetTables';

const one = (name: string): { name: string; description: string }[] => [{ name, description: `About ${name}.` }];
const element = {
  tagName: 'x-y',
  attributes: [{ name: 'size', type: { text: "'small' | 'large'" }, description: 'How large, {@link Size}.' }],
  members: [
    { kind: 'field', name: 'size', type: { text: 'Size' }, description: 'The same.' },
    { kind: 'field', name: '#hidden' },
    { kind: 'field', name: 'inner', privacy: 'private' },
    { kind: 'field', name: 'observedAttributes', static: true },
    { kind: 'method', name: 'run', parameters: [{ name: 'source', optional: true }], return: { type: { text: 'Promise<Turn[]>' } } },
    { kind: 'method', name: 'connectedCallback' },
  ],
  events: one('done'),
  slots: [{ name: '', description: 'Text.' }],
  cssParts: one('button'),
  cssProperties: [{ name: '--accent', default: '#fff', description: 'A color.' }],
};
const manifestOf = (declaration: object): Parameters<typeof widgetTables>[0] => ({ modules: [{ declarations: [declaration] }, {}] });

describe('tables of an element', () => {
  it('contain the public API, escaped for Markdown and Vue', () => {
    const text = widgetTables(manifestOf(element), 'x-y');
    expect(text).toContain("| <code>size</code> | <code>'small' &#124; 'large'</code> | How large, `Size`. |");
    expect(text).toContain('<code>run(source?): Promise&#60;Turn[]&#62;</code>');
    expect(text).toContain('| without a name | Text. |');
    expect(text).toContain('| <code>--accent</code> | <code>#fff</code> | A color. |');
    for (const hidden of ['hidden', 'inner', 'observedAttributes', 'Callback']) expect(text).not.toContain(hidden);
  });

  it('reject a manifest that does not match', () => {
    expect(() => widgetTables(manifestOf(element), 'x-z')).toThrow('has no x-z');
    expect(() => widgetTables(manifestOf({ ...element, cssParts: [] }), 'x-y')).toThrow('has no parts');
  });
});
