import { failureOf } from '../ui-kit/failure';
import { download } from '../ui-kit/files';
import type { Store } from '../ui-kit/store';
import { reportJson, subjectOf, visibleFiles } from './files';
import { type Actions, withTolerance } from './section';
import type { Session } from './session';
import { type Action, comparedRows, isShown, type State } from './state';

/**
 * Creates the actions of the panel's sections.
 *
 * @param reveal scrolls to the row of a stage, which no filter hides
 */
export function createActions(store: Store<State, Action>, session: Session, reveal: (stage: string) => void): Actions {
  /** Runs a user request that is not a job. Its failure is shown like that of a job. */
  const attempt = (work: () => Promise<void>): void => {
    work().catch((thrown: unknown) => {
      store.dispatch({ type: 'broke', failure: failureOf(thrown) });
    });
  };
  // Removes only this extension: `3.0` at the end of a model name is not one.
  const fileStem = (): string => (store.get().opened?.model ?? 'model').replace(/\.onnx$/i, '');

  return {
    open(files) {
      const list = [...files];
      session.open(subjectOf(list), () => Promise.resolve(visibleFiles(list)));
    },
    openShipped(model) {
      session.openShipped(model);
    },
    mapStage(stage, value) {
      session.mapStage(stage, value);
    },
    selectStep(index) {
      session.selectStep(index);
    },
    chooseForm(form) {
      session.chooseForm(form);
    },
    choose(choice) {
      store.dispatch({ type: 'choice-changed', choice });
    },
    compare() {
      session.compare();
    },
    bisect() {
      session.bisect();
    },
    audit() {
      session.audit();
    },
    cancel() {
      session.cancel();
    },
    filter(filter) {
      store.dispatch({ type: 'filtered', filter });
    },
    goTo(stage) {
      const row = comparedRows(store.get()).find(({ name }) => name === stage);
      if (row && !isShown(row, store.get().filter)) store.dispatch({ type: 'filtered', filter: { onlyFailing: false, search: '' } });
      store.dispatch({ type: 'looked', look: { stage } });
      reveal(stage);
    },
    look(look) {
      store.dispatch({ type: 'looked', look });
    },
    setTolerance(stage, field, value) {
      store.dispatch({ type: 'tolerances-changed', tolerances: withTolerance(store.get(), stage, field, value) });
    },
    resetTolerances() {
      store.dispatch({ type: 'tolerances-changed', tolerances: new Map() });
    },
    toggleFlagged(onlyFlagged) {
      store.dispatch({ type: 'flagged-toggled', onlyFlagged });
    },
    saveReport() {
      attempt(async () => {
        const environment = await session.environment();
        download(`${fileStem()}.comparison.json`, 'application/json', reportJson(store.get(), environment, Date.now()));
      });
    },
    saveBugReport() {
      attempt(async () => {
        // Copied, because data from a worker may be in shared memory, which Blob does not accept.
        download(`${fileStem()}.bug-report.zip`, 'application/zip', new Uint8Array(await session.bugReport()));
      });
    },
    print() {
      window.print();
    },
    dismissFailure() {
      store.dispatch({ type: 'failure-dismissed' });
    },
    reset() {
      store.dispatch({ type: 'reset' });
    },
  };
}
