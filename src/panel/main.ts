import { Comparator } from '../engine/comparator';
import { isShipped } from '../store/manifest';
import { startPage } from '../ui-kit/start';
import { mountComparePanel } from './panel';

// `?model=ID` compares a bundled model immediately. The self-check of the app links here.
const model = new URLSearchParams(location.search).get('model');
startPage((root) => {
  mountComparePanel(root, () => new Comparator(), model !== null && isShipped(model) ? { model } : {});
});
