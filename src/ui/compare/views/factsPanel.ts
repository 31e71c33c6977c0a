import type { Opened } from '../../../pipeline/comparatorTypes';
import { h, setAttribute } from '../../dom';
import { count } from '../../format';
import { engineLanguage } from '../../texts/language';
import { fact } from '../controls';
import { whenChanged, type Section } from '../section';
import { text } from '../text';

/** What was compared with what, and where: a report without this is worth nothing to who gets it. */
export function factsPanel(): Section {
  const element = h('section', { class: 'panel facts-panel', hidden: true });
  return {
    element,
    update: whenChanged(
      ({ opened, environment }) => [opened, environment],
      ({ opened, environment }) => {
        element.hidden = opened === null;
        if (!opened) return;
        element.replaceChildren(
          part(text.facts.graph, graphFacts(opened)),
          ...(opened.goldens ? [part(text.facts.goldens, goldenFacts(opened.goldens))] : []),
          ...(environment
            ? [part(text.facts.machine, Object.entries(environment).map(([name, value]) => given(name, value)))]
            : []),
        );
      },
    ),
  };
}

const part = (heading: string, facts: readonly HTMLElement[]): HTMLElement =>
  h('div', {}, h('h3', { class: 'legend' }, heading), h('dl', { class: 'facts facts--dense' }, ...facts));

/** A fact whose name the engine or the bundle gave. */
const given = (name: string, value: string): HTMLElement => {
  const element = fact(name, h('span', { class: 'mono' }, value));
  setAttribute(element, 'lang', engineLanguage);
  return element;
};

function graphFacts({ graph, checkpoint }: Opened): HTMLElement[] {
  const { facts } = text;
  const mono = (value: string): HTMLElement => h('span', { class: 'mono' }, value);
  return [
    fact(facts.sha256, h('span', { class: 'mono sha', 'data-testid': 'model-sha256' }, graph.sha256)),
    fact(facts.producer, graph.producer),
    fact(facts.opset, mono(String(graph.opset))),
    fact(facts.nodes, mono(count(graph.numNodes))),
    fact(facts.size, mono(facts.bytes(graph.bytes))),
    fact(facts.inputs, ...graph.inputs.map(({ name, dtype, shape }) => mono(facts.input(name, dtype, `(${shape.join(', ')})`)))),
    ...(checkpoint === null ? [] : [fact(facts.checkpoint, mono(checkpoint))]),
  ];
}

function goldenFacts({ file, source, notes }: NonNullable<Opened['goldens']>): HTMLElement[] {
  const words = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return [
    fact(text.facts.file, h('span', { class: 'mono' }, file)),
    ...Object.entries(source).map(([name, value]) => given(name, words(value))),
    ...(notes.length > 0 ? [fact(text.facts.notes, ...notes.map((note) => h('span', { lang: engineLanguage }, note)))] : []),
  ];
}
