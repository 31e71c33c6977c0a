/**
 * Generates `custom-elements.json` of the package from the comments of the class of `<voxlane-diarizer>`, for editors and
 * the documentation.
 *
 * @see https://github.com/webcomponents/custom-elements-manifest
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as analyzer from '@custom-elements-manifest/analyzer';
import { CODE_PACKAGE, ROOT } from './entries';

/** Sources of the class and its base classes. */
const SOURCES = ['src/widget/reflectingElement.ts', 'src/widget/playingElement.ts', 'src/widget/element.ts'];
/** Module of the class in the package. */
const MODULE = 'dist/widget.js';

/** The used subset of the analyzer, whose types are incomplete. It requires its bundled version of TypeScript. */
const { create, ts } = analyzer as unknown as {
  readonly create: (options: { readonly modules: readonly unknown[]; readonly plugins: readonly unknown[]; readonly context: { readonly dev: boolean } }) => Manifest;
  readonly ts: typeof import('typescript');
};

interface Named {
  readonly name: string;
  readonly description?: string;
}

/** A property or method. */
interface Member extends Named {
  readonly kind: 'field' | 'method';
  readonly privacy?: string;
  readonly static?: boolean;
}

/** Declaration of an element in the manifest. The tables of the documentation are generated from it. */
export interface ElementDeclaration extends Named {
  readonly tagName: string;
  readonly attributes: readonly (Named & { readonly type?: { readonly text: string } })[];
  readonly members: readonly Member[];
  readonly events: readonly (Named & { readonly type?: { readonly text: string } })[];
  readonly slots: readonly Named[];
  readonly cssParts: readonly Named[];
  readonly cssProperties: readonly (Named & { readonly default?: string })[];
}

interface Manifest {
  readonly schemaVersion: string;
  readonly modules: readonly { readonly path: string; readonly declarations?: readonly Partial<ElementDeclaration>[] }[];
}

/** Methods called only by the browser. */
const CALLBACKS = ['connectedCallback', 'disconnectedCallback', 'adoptedCallback', 'attributeChangedCallback'];

/** The declaration of `<voxlane-diarizer>`. @throws Error if the class has no tag name */
export function elementDeclaration(): ElementDeclaration {
  const modules = SOURCES.map((path) => ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.ES2022, true));
  const { modules: analyzed } = create({ modules, plugins: [], context: { dev: false } });
  const found = analyzed.flatMap(({ declarations = [] }) => declarations).find(({ tagName }) => tagName !== undefined);
  if (!found) throw new Error(`no class in ${SOURCES.join(', ')} has a tag name`);
  const { members = [], attributes = [], events = [], slots = [], cssParts = [], cssProperties = [] } = found;
  return {
    ...(found as ElementDeclaration),
    attributes,
    members: members.filter(
      (member) => member.privacy !== 'private' && !member.name.startsWith('#') && !member.static && !CALLBACKS.includes(member.name),
    ),
    events,
    slots,
    cssParts,
    cssProperties,
  };
}

/** The whole manifest as JSON. */
export function customElements(): string {
  const declaration = elementDeclaration();
  const reference = { name: declaration.name, module: MODULE };
  const manifest = {
    schemaVersion: '1.0.0',
    readme: '',
    modules: [
      {
        kind: 'javascript-module',
        path: MODULE,
        declarations: [withoutSources(declaration)],
        exports: [
          { kind: 'js', name: declaration.name, declaration: reference },
          { kind: 'custom-element-definition', name: declaration.tagName, declaration: reference },
        ],
      },
    ],
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Removes references to files of this repository that are not part of the package. */
function withoutSources(declaration: ElementDeclaration): unknown {
  const own: unknown = JSON.parse(
    JSON.stringify(declaration, (key, value: unknown) => (key === 'inheritedFrom' || key === 'superclass' ? undefined : value)),
  );
  return { ...(own as object), superclass: { name: 'HTMLElement' } };
}

/** Writes the manifest into the package. */
export function writeCustomElements(): void {
  writeFileSync(join(CODE_PACKAGE, 'custom-elements.json'), customElements());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeCustomElements();
