/** Results of this and earlier visits in a page whose browser the test replaces. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryBackend, outcomeNamed } from '../../../test/app/keptWork';
import { Scope } from '../../ui-kit/scope';
import { createStore } from '../../ui-kit/store';
import { RecentWork } from '../saved/recentWork';
import type { TabLink, TabMessage } from '../saved/sharedWork';
import { type Action, INITIAL_STATE, type Outcome, reduce, type State } from '../state';
import { Workspace } from './workspace';

const page = {
  document: Object.assign(new EventTarget(), { visibilityState: 'visible', querySelector: (selector: string) => (page.hasDraft && selector === '[data-draft]' ? {} : null) }),
  window: new EventTarget(),
  location: { hash: '', pathname: '/app/', search: '?a' },
  hasDraft: false,
};
/** Whether leaving the page now asks the user. */
function asksBeforeLeaving(): boolean {
  const event = new Event('beforeunload', { cancelable: true });
  page.window.dispatchEvent(event);
  return event.defaultPrevented;
}

interface Opened {
  readonly workspace: Workspace;
  readonly scope: Scope;
  readonly get: () => State;
  readonly dispatch: (action: Action) => void;
  /** A message of another tab. */
  readonly receive: (message: TabMessage) => void;
  readonly posted: TabMessage[];
}
let backend: MemoryBackend;
const scopes: Scope[] = [];

/** Opens the page, as a new visit with the same storage. */
function visit(): Opened {
  const scope = new Scope();
  const posted: TabMessage[] = [];
  let receive: (message: TabMessage) => void = () => undefined;
  const link: TabLink = {
    exclusively: (_id, task) => task(),
    post: (message) => posted.push(message),
    listen: (listener) => { receive = listener; },
  };
  const store = createStore<State, Action>(reduce, INITIAL_STATE, (next, previous) => { workspace.follow(next, previous); });
  const workspace: Workspace = new Workspace(scope, store, new RecentWork(backend), link);
  scopes.push(scope);
  return { workspace, scope, get: store.get, dispatch: store.dispatch, receive: (message) => { receive(message); }, posted };
}

const noticeOf = ({ get }: Opened): string | undefined => {
  const { notice } = get();
  return typeof notice === 'object' && notice !== null ? notice.said : undefined;
};
const listed = ({ get }: Opened): string[] => get().kept.map(({ id }) => id);
const shown = ({ get }: Opened): Outcome | null => {
  const { phase } = get();
  return phase.kind === 'done' ? phase.outcome : null;
};
const rename = ({ workspace }: Opened, outcome: Outcome, name: string): void => {
  workspace.correctionsOf(outcome).apply({ type: 'edit', edit: { type: 'rename-speaker', speaker: 'SPEAKER_00', name } });
};
const nameIn = ({ workspace }: Opened, outcome: Outcome): string | null => workspace.correctionsOf(outcome).corrections.history.annotation.speakers[0]!.name;
/** Shows a new result, and waits until it is stored. */
async function show(tab: Opened, outcome: Outcome): Promise<void> {
  tab.dispatch({ type: 'opened', outcome });
  await vi.waitUntil(() => backend.values.size > 0 && !asksBeforeLeaving());
}

beforeEach(() => {
  backend = new MemoryBackend();
  page.location.hash = '';
  page.document.visibilityState = 'visible';
  page.hasDraft = false;
  const replaceState = (_state: unknown, _title: string, address: string): void => {
    page.location.hash = address.startsWith('#') ? address : '';
  };
  for (const [name, value] of Object.entries({ ...page, history: { replaceState } })) vi.stubGlobal(name, value);
});
afterEach(() => {
  for (const scope of scopes.splice(0)) scope.dispose();
  vi.unstubAllGlobals();
});

test('a new result is stored, and opens by its address on the next visit with its corrections', async () => {
  const first = visit();
  const outcome = { ...outcomeNamed('a'), blob: new Blob(['sound']) };
  const states: string[] = [];
  first.workspace.onSaveState(first.scope, (state) => states.push(state));
  await show(first, outcome);
  expect(page.location.hash).toBe('#work=a');
  rename(first, outcome, 'Ada');
  expect(asksBeforeLeaving()).toBe(true);
  await vi.waitUntil(() => !asksBeforeLeaving());
  expect([states[0], states.at(-1)]).toEqual(['saved', 'saved']);
  expect(states).toContain('saving');
  first.scope.dispose();

  const second = visit();
  await second.workspace.start();
  const opened = shown(second)!;
  expect(opened).toMatchObject({ id: 'a', name: 'a.wav' });
  expect(await opened.blob!.text()).toBe('sound');
  expect(nameIn(second, opened)).toBe('Ada');
  expect(await second.workspace.voicesOf(opened)!()).toEqual(outcome.result!.voices);
  // The start page has no address of a result, and lists it.
  second.dispatch({ type: 'reset' });
  expect(page.location.hash).toBe('');
  await vi.waitUntil(() => listed(second).join() === 'a');
});

test('an address of a result that is gone, or that cannot be read, is explained', async () => {
  page.location.hash = '#work=gone';
  const tab = visit();
  await tab.workspace.start();
  expect(noticeOf(tab)).toBe('This result is no longer stored in this browser.');
  expect(page.location.hash).toBe('');
  backend.failure = new Error('broken');
  page.location.hash = '#work=other';
  page.window.dispatchEvent(new Event('hashchange'));
  await vi.waitUntil(() => noticeOf(tab)?.startsWith('The saved result could not be read'));
  await tab.workspace.delete('other');
  // The list was also not read.
  expect(noticeOf(tab)).toBe('Earlier results could not be read from this browser. They have not been deleted. Reload the page to try again.');
});

test('another address opens its result, and a result that is shown is not opened again', async () => {
  const tab = visit();
  await show(tab, outcomeNamed('a'));
  await show(tab, outcomeNamed('b'));
  const open = vi.spyOn(tab.workspace, 'open');
  page.window.dispatchEvent(new Event('hashchange'));
  expect(open).not.toHaveBeenCalled();
  page.location.hash = '#work=a';
  page.window.dispatchEvent(new Event('hashchange'));
  await vi.waitUntil(() => shown(tab)?.id === 'a');
});

test('work is stored when the page is hidden, and typed text asks before the page is left', async () => {
  const tab = visit();
  const outcome = outcomeNamed('a');
  await show(tab, outcome);
  rename(tab, outcome, 'Bea');
  page.document.visibilityState = 'hidden';
  page.document.dispatchEvent(new Event('visibilitychange'));
  // Not after the usual delay: a hidden page may be closed.
  await new Promise((resolve) => { setImmediate(resolve); });
  const stored = await new RecentWork(backend).open('a');
  expect(stored!.corrections.history.annotation.speakers[0]!.name).toBe('Bea');
  expect(asksBeforeLeaving()).toBe(false);
  page.hasDraft = true;
  expect(asksBeforeLeaving()).toBe(true);
});

test('a result that another tab changed or deleted follows it', async () => {
  const [tab, other] = [visit(), visit()];
  const outcome = outcomeNamed('a');
  await show(tab, outcome);
  await other.workspace.open('a');
  rename(other, outcome, 'Kim');
  await other.workspace.saveAll();
  // A hidden page waits until it is visible.
  page.document.visibilityState = 'hidden';
  for (const message of other.posted) tab.receive(message);
  expect(nameIn(tab, outcome)).toBeNull();
  page.document.visibilityState = 'visible';
  for (const event of ['focus', 'pageshow']) page.window.dispatchEvent(Object.assign(new Event(event), { persisted: true }));
  await vi.waitUntil(() => nameIn(tab, outcome) === 'Kim');

  other.dispatch({ type: 'reset' });
  await other.workspace.delete('a');
  expect(listed(other)).toEqual([]);
  expect(other.get().lastOutcome).toBeNull();
  expect(other.posted.at(-1)).toEqual({ type: 'deleted', id: 'a' });
  tab.receive({ type: 'deleted', id: 'a' });
  await vi.waitUntil(() => noticeOf(tab)?.startsWith('Another tab deleted this result.'));
  // It remains here, and the next correction stores it again.
  expect(shown(tab)?.id).toBe('a');
  rename(tab, outcome, 'Leo');
  await tab.workspace.saveAll();
  const next = visit();
  await next.workspace.open('a');
  expect(nameIn(next, shown(next)!)).toBe('Leo');
});

test('without storage, the loss is reported once, and the work stays in memory', async () => {
  backend.failure = new Error('blocked');
  const tab = visit();
  const outcome = outcomeNamed('a');
  tab.dispatch({ type: 'opened', outcome });
  await vi.waitUntil(() => noticeOf(tab)?.includes('cannot save your work'));
  tab.dispatch({ type: 'notice-dismissed' });
  rename(tab, outcome, 'Mia');
  await tab.workspace.saveAll();
  expect(noticeOf(tab)).toBeUndefined();
  expect(asksBeforeLeaving()).toBe(true);
  tab.dispatch({ type: 'reset' });
  await tab.workspace.open('a');
  expect(shown(tab)?.id).toBe('a');
  expect(nameIn(tab, outcome)).toBe('Mia');
});

test('companions are opened once, and peaks are kept', async () => {
  const tab = visit();
  const outcome: Outcome = { ...outcomeNamed('a'), companions: [new File([''], 'talk.srt')] };
  await show(tab, outcome);
  expect(tab.workspace.companionsOf(outcome)).toHaveLength(1);
  expect(tab.workspace.companionsOf(outcome)).toEqual([]);
  const peaks = { secondsPerPeak: 0.016, extremes: new Int16Array([-3, 4]) };
  tab.workspace.keepPeaks(outcome, peaks);
  expect(tab.workspace.peaksOf(outcome)).toBe(peaks);
  await vi.waitUntil(async () => (await new RecentWork(backend).open('a'))?.peaks !== null);
});
