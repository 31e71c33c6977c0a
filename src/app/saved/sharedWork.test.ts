import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VoxlaneError } from '../../util/errors';
import { aThrow, editFor, fraction, type Throw } from '../../../test/editing/randomEdits';
import { shownBy, Tab, World } from '../../../test/app/tabs';
import type { Command, SaveState } from './sharedWork';

const addSpeaker = (name: string): Command => ({ type: 'edit', edit: { type: 'add-speaker', name } });
const rename = (name: string): Command => ({ type: 'edit', edit: { type: 'rename-speaker', speaker: 'SPEAKER_00', name } });

type Step =
  | { readonly kind: 'edit'; readonly tab: number; readonly thrown: Throw | null }
  | { readonly kind: 'undo' | 'redo' | 'transcript' | 'crash' | 'delete' | 'refresh'; readonly tab: number }
  | { readonly kind: 'full'; readonly isFull: boolean }
  | { readonly kind: 'wait'; readonly which: number };

const tabOf = fc.nat({ max: 2 });
const anEdit = { weight: 8, arbitrary: fc.record({ kind: fc.constant('edit' as const), tab: tabOf, thrown: fc.option(aThrow) }) };
const aWait = { weight: 24, arbitrary: fc.record({ kind: fc.constant('wait' as const), which: fraction }) };
const acted = (weight: number, ...kinds: readonly ('undo' | 'redo' | 'transcript' | 'crash' | 'delete' | 'refresh')[]) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constantFrom(...kinds), tab: tabOf }),
});
const fullness = { weight: 1, arbitrary: fc.record({ kind: fc.constant('full' as const), isFull: fc.boolean() }) };
const browser = fc.record({ hasLocks: fc.boolean(), hasChannel: fc.boolean() });

/** Three tabs and the changes they showed as saved. */
class Model {
  readonly world = new World();
  readonly tabs: Tab[];
  /** Names set in a tab that showed its changes as saved. */
  readonly shownAsSaved = new Set<string>();
  readonly #given = new Map<Tab, string[]>();
  #numNames = 0;

  constructor(options: { readonly hasLocks: boolean; readonly hasChannel: boolean }) {
    Object.assign(this.world, options);
    this.tabs = [];
    for (let index = 0; index < 3; index++) this.tabs.push(this.#open());
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'wait') {
      await this.world.waiting.run(step.which);
      return;
    }
    if (step.kind === 'full') {
      this.world.isFull = step.isFull;
      return;
    }
    const tab = this.tabs[step.tab]!;
    switch (step.kind) {
      case 'edit': {
        const name = `name ${this.#numNames++}`;
        const command: Command = step.thrown ? { type: 'edit', edit: editFor(tab.work.corrections.history.annotation, step.thrown) } : addSpeaker(name);
        if (!step.thrown) this.#given.get(tab)!.push(name);
        attempt(tab, command);
        break;
      }
      case 'transcript':
        attempt(tab, { type: 'transcript', transcript: { file: `${this.#numNames++}.srt`, cues: [] } });
        break;
      case 'undo':
      case 'redo':
        attempt(tab, { type: step.kind });
        break;
      case 'refresh':
        void tab.work.refresh();
        break;
      case 'delete':
        tab.delete();
        break;
      case 'crash':
        tab.crash();
        this.tabs[step.tab] = this.#open();
    }
  }

  /** Focuses each tab once, then runs all pending steps with room in the store. */
  async settle(): Promise<void> {
    await this.world.settle();
    this.world.isFull = false;
    for (const tab of this.tabs) void tab.work.save();
    await this.world.settle();
    for (const tab of this.tabs) void tab.work.refresh();
    await this.world.settle();
  }

  #open(): Tab {
    const tab = new Tab(this.world, (shown, state) => {
      this.#check(shown, state);
    });
    this.#given.set(tab, []);
    if (!this.world.stored) void tab.work.save();
    return tab;
  }

  /** A tab may show the state `saved` only if exactly its state is stored. */
  #check(tab: Tab, state: SaveState): void {
    if (state !== 'saved') return;
    const { history, transcript } = this.world.commits.get(tab.revision!)!;
    const shown = shownBy(tab);
    if (shown.history !== history || shown.transcript !== transcript) throw new Error(`${tab.revision} is stored, but differs from what the tab shows as saved`);
    for (const name of this.#given.get(tab)!) this.shownAsSaved.add(name);
  }
}

/** Some random edits are invalid. */
function attempt(tab: Tab, command: Command): void {
  try {
    tab.work.apply(command);
  } catch (error) {
    expect(error).toBeInstanceOf(VoxlaneError);
  }
}

async function play(steps: readonly Step[], options: { readonly hasLocks: boolean; readonly hasChannel: boolean }): Promise<Model> {
  const model = new Model(options);
  for (const step of steps) await model.take(step);
  await model.settle();
  // After a deletion, a tab that had not yet read the changes saved by another keeps its own state. All tabs show it as
  // unsaved.
  if (!model.world.stored) return model;
  const [first, ...others] = model.tabs.map((tab) => shownBy(tab));
  for (const other of others) expect(other).toEqual(first);
  return model;
}

describe('three tabs with the same result', () => {
  it('keep every change that one of them showed as saved, and end up in the same state', async () => {
    const steps = fc.array(fc.oneof(anEdit, aWait, acted(1, 'crash', 'refresh', 'transcript'), fullness), { maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, browser, async (taken, options) => {
        const { world, tabs, shownAsSaved } = await play(taken, options);
        expect(tabs.map(({ work }) => work.state)).toEqual(['saved', 'saved', 'saved']);
        expect(shownBy(tabs[0]!)).toEqual({ history: world.stored!.history, transcript: world.stored!.transcript });
        for (const name of shownAsSaved) expect(world.stored!.history).toContain(`"${name}"`);
      }),
      { numRuns: 80 },
    );
  });

  it('end up in the same state after any undo and redo, and are unsaved after a deletion', async () => {
    const steps = fc.array(fc.oneof(anEdit, aWait, acted(6, 'undo', 'redo'), acted(1, 'crash', 'delete', 'transcript')), { maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, browser, async (taken, options) => {
        const { world, tabs } = await play(taken, options);
        const states = tabs.map(({ work }) => work.state);
        expect(states).toEqual(Array(3).fill(world.stored ? 'saved' : 'unsaved'));
        if (world.stored) expect(shownBy(tabs[0]!).history).toBe(world.stored.history);
      }),
      { numRuns: 80 },
    );
  });
});

describe('SharedWork', () => {
  const open = async (number: number): Promise<{ world: World; tabs: Tab[] }> => {
    const world = new World();
    const first = new Tab(world, () => undefined);
    void first.work.save();
    await world.settle();
    return { world, tabs: [first, ...Array.from({ length: number - 1 }, () => new Tab(world, () => undefined))] };
  };
  const nameIn = ({ work }: Tab): string | null => work.corrections.history.annotation.speakers[0]!.name;

  it('shows the changes saved by one tab in every tab', async () => {
    const { world, tabs } = await open(3);
    tabs[1]!.work.apply(rename('Ann'));
    expect(tabs.map(({ work }) => work.state)).toEqual(['saved', 'saving', 'saved']);
    await world.settle();
    expect(tabs.map(nameIn)).toEqual(['Ann', 'Ann', 'Ann']);
    expect(tabs.map(({ work }) => work.state)).toEqual(['saved', 'saved', 'saved']);
  });

  it('undoes changes of another tab', async () => {
    const { world, tabs } = await open(2);
    tabs[0]!.work.apply(rename('Ann'));
    await world.settle();
    expect(tabs[1]!.work.apply({ type: 'undo' })).toBe(true);
    await world.settle();
    expect(tabs.map(nameIn)).toEqual([null, null]);
  });

  it('reports how many changes no longer apply', async () => {
    const { world, tabs } = await open(2);
    tabs[0]!.work.apply(rename('Ann'));
    tabs[1]!.work.apply(rename('Bea'));
    tabs[1]!.work.apply(addSpeaker('Cat'));
    await world.settle();
    expect(tabs.map(nameIn)).toEqual(['Ann', 'Ann']);
    expect(tabs.map(({ numRefused }) => numRefused)).toEqual([0, 1]);
    expect(tabs.map(({ work }) => work.corrections.history.annotation.speakers.at(-1)!.name)).toEqual(['Cat', 'Cat']);
  });

  it('continues after a tab that held the lock has crashed', async () => {
    const { world, tabs } = await open(2);
    tabs[0]!.work.apply(rename('Ann'));
    // The timer, and the lock.
    for (let step = 0; step < 2; step++) await world.waiting.run(0);
    expect(world.queue).toHaveLength(1);
    tabs[1]!.work.apply(rename('Bea'));
    await world.waiting.run(0.99);
    tabs[0]!.crash();
    await world.settle();
    expect([nameIn(tabs[1]!), tabs[1]!.work.state]).toEqual(['Bea', 'saved']);
  });

  it('is unsaved while the store is full, and saves with the next change', async () => {
    const { world, tabs } = await open(1);
    const [tab] = tabs as [Tab];
    world.isFull = true;
    tab.work.apply(rename('Ann'));
    await world.settle();
    expect([tab.work.state, tab.failures.map(({ reason }) => reason)]).toEqual(['unsaved', ['full']]);
    world.isFull = false;
    tab.work.apply(addSpeaker('Cat'));
    await world.settle();
    expect([tab.work.state, world.stored!.history.includes('Ann')]).toEqual(['saved', true]);
  });

  it('reports that another tab deleted the work, and stores it again with the next change', async () => {
    const { world, tabs } = await open(2);
    tabs[0]!.delete();
    await world.settle();
    void tabs[1]!.work.save();
    await world.settle();
    expect([tabs[1]!.work.state, tabs[1]!.numDeleted, world.stored]).toEqual(['unsaved', 1, null]);
    tabs[1]!.work.apply(rename('Ann'));
    await world.settle();
    expect([tabs[1]!.work.state, world.stored!.history.includes('Ann')]).toEqual(['saved', true]);
  });
});
