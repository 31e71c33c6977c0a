import { Comparator } from '../../pipeline/comparator';
import { isShipped } from '../../store/shipped';
import { mountComparePanel } from './panel';

const root = document.getElementById('app');
// `?model=ID` compares a model of this app at once: the main page's self-check links here.
const model = new URLSearchParams(location.search).get('model');
if (root) mountComparePanel(root, () => new Comparator(), model !== null && isShipped(model) ? { model } : {});
