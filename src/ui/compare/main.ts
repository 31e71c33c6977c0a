import { Comparator } from '../../pipeline/comparator';
import { isShipped } from '../../store/shipped';
import { startPage } from '../start';
import { mountComparePanel } from './panel';

// `?model=ID` compares a model of this app at once: the main page's self-check links here.
const model = new URLSearchParams(location.search).get('model');
startPage((root) => {
  mountComparePanel(root, () => new Comparator(), model !== null && isShipped(model) ? { model } : {});
});
