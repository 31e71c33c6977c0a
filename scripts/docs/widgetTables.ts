/** The used subset of a custom elements manifest, https://github.com/webcomponents/custom-elements-manifest. */
export interface CustomElements {
  readonly modules: readonly { readonly declarations?: readonly Declaration[] }[];
}

interface Named {
  readonly name: string;
  readonly description?: string;
  readonly type?: { readonly text: string };
}

interface Member extends Named {
  readonly kind: string;
  readonly privacy?: string;
  readonly static?: boolean;
  readonly inheritedFrom?: object;
  readonly readonly?: boolean;
  readonly parameters?: readonly (Named & { readonly optional?: boolean })[];
  readonly return?: { readonly type?: { readonly text: string } };
}

interface Declaration {
  readonly tagName?: string;
  readonly attributes?: readonly Named[];
  readonly members?: readonly Member[];
  readonly events?: readonly Named[];
  readonly slots?: readonly Named[];
  readonly cssParts?: readonly Named[];
  readonly cssProperties?: readonly (Named & { readonly default?: string })[];
}

/** Methods called by the browser, not by users. */
const CALLBACKS = /^(connected|disconnected|adopted|attributeChanged)Callback$/;
/** Methods of every element. */
const STANDARD = new Set(['addEventListener', 'removeEventListener']);

/**
 * The reference of one element as Markdown: attributes, properties, methods, events, slots, parts, custom properties.
 *
 * @throws Error if the manifest does not have the element, or if one of these kinds is empty, because the manifest is outdated
 */
export function widgetTables(manifest: CustomElements, tagName: string): string {
  const element = manifest.modules.flatMap(({ declarations = [] }) => declarations).find((one) => one.tagName === tagName);
  if (!element) throw new Error(`the custom elements manifest has no ${tagName}`);
  const members = (element.members ?? []).filter(
    ({ name, privacy, static: isStatic, inheritedFrom }) =>
      privacy !== 'private' && privacy !== 'protected' && !isStatic && !inheritedFrom && !name.startsWith('#') && !CALLBACKS.test(name) && !STANDARD.has(name),
  );
  const sections = [
    table('Attributes', ['attribute', 'value', ''], element.attributes, ({ name, type, description }) => [code(name), code(type?.text), description]),
    table('Properties', ['property', 'type', ''], members.filter(({ kind }) => kind === 'field'), (member) => [
      code(member.name),
      `${code(member.type?.text)}${member.readonly ? ', read only' : ''}`,
      member.description,
    ]),
    table('Methods', ['method', ''], members.filter(({ kind }) => kind === 'method'), (member) => [code(signature(member)), member.description]),
    table('Events', ['event', 'type', ''], element.events, ({ name, type, description }) => [code(name), code(type?.text), description]),
    table('Slots', ['slot', ''], element.slots, ({ name, description }) => [name === '' ? 'without a name' : code(name), description]),
    table('Parts', ['part', ''], element.cssParts, ({ name, description }) => [code(name), description]),
    table('Custom properties', ['property', 'default', ''], element.cssProperties, (one) => [code(one.name), code(one.default), one.description]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function signature({ name, parameters = [], return: result }: Member): string {
  const given = parameters.map((one) => `${one.name}${one.optional ? '?' : ''}`).join(', ');
  return `${name}(${given})${result?.type ? `: ${result.type.text}` : ''}`;
}

const code = (text: string | undefined): string => (text === undefined || text === '' ? '' : `<code>${escaped(text)}</code>`);

/** Escapes characters with a meaning in Markdown and Vue, and the bar, which would end the cell. */
const escaped = (text: string): string =>
  text.replace(/[&<>|{}]/g, (character) => `&#${character.charCodeAt(0)};`);

function table<Row>(title: string, head: readonly string[], rows: readonly Row[] | undefined, cells: (row: Row) => readonly (string | undefined)[]): string {
  if (!rows || rows.length === 0) throw new Error(`the custom elements manifest has no ${title.toLowerCase()}`);
  const line = (texts: readonly (string | undefined)[]): string => `| ${texts.map((text) => text ?? '').join(' | ')} |`;
  return [
    `### ${title}`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line(cells(row).map((text) => proseOf(text)))),
  ].join('\n');
}

/** The text of a doc comment on one line. Links to other doc comments become names. */
function proseOf(text = ''): string {
  if (text.startsWith('<code>')) return text;
  return text
    .replace(/@throws/g, 'Throws:')
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|');
}
