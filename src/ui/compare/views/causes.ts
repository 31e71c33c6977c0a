import type { BackendName, Cause } from '../../../compare/report';
import { h } from '../../dom';
import { engineLanguage } from '../../texts/language';
import { codeFigure } from '../figures';
import { BACKENDS, RUNTIMES, type StageRow } from '../selection';
import { text } from '../text';

/** The same cause on several backends, by what it says. */
interface Shared {
  readonly cause: Cause;
  readonly backends: readonly BackendName[];
}

/** Causes of a stage, each once with the backends that it was found on, in the order in which they were found. */
export function sharedCauses(row: Pick<StageRow, BackendName>): readonly Shared[] {
  const found = new Map<string, { cause: Cause; backends: BackendName[] }>();
  for (const backend of BACKENDS) {
    // What is wrong on the runtime too is explained there by more than the values.
    if (backend === 'kernels' && row.wasm?.verdict === 'fail') continue;
    for (const cause of row[backend]?.causes ?? []) {
      const key = `${cause.id}: ${cause.evidence}`;
      const entry = found.get(key);
      if (entry) entry.backends.push(backend);
      else found.set(key, { cause, backends: [backend] });
    }
  }
  return [...found.values()];
}

/** What is likely wrong with a stage, each with its evidence; null where nothing is known. */
export function causeList(row: StageRow): HTMLElement | null {
  const causes = sharedCauses(row);
  if (causes.length === 0) return null;
  const numRuntimes = RUNTIMES.filter((backend) => row[backend]).length;
  return h(
    'ul',
    { class: 'causes' },
    ...causes.map(({ cause, backends }) => {
      const [name, look] = text.causes.names[cause.id];
      return h(
        'li',
        { class: 'cause', 'data-testid': 'cause', 'data-cause': cause.id, 'data-stage': row.name, 'data-backends': backends.join(' ') },
        h('span', { class: 'legend legend--alert' }, text.causes.heading),
        h('b', {}, name, ...(backends.length < numRuntimes || backends.includes('kernels') ? [` ${backends.map((backend) => text.causes.on(text.backends[backend])).join(', ')}`] : [])),
        h('span', { class: 'cause__evidence', lang: engineLanguage }, cause.evidence),
        valuesOf(cause),
        h('span', { class: 'fine' }, look),
      );
    }),
  );
}

function valuesOf({ id, values }: Cause): HTMLElement {
  const figures = Object.entries(values).map(([name, value]) => {
    const words = typeof value === 'number' ? codeFigure(value) : typeof value === 'string' ? value : `[${value.map(codeFigure).join(', ')}]`;
    return `${name} ${words}`;
  });
  return h('code', { class: 'cause__values' }, [id, ...figures].join(' · '));
}
