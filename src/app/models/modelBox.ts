import type { DownloadFacts } from '../../engine/downloadFacts';
import type { PresetInfo } from '../../engine/presets';
import type { ModelDownload } from '../../engine/types';
import { h, setAttribute, setText } from '../../ui-kit/dom';
import { failureDetails } from '../../ui-kit/failure';
import { licenseName, licensePage } from '../../ui-kit/format';
import type { Scope } from '../../ui-kit/scope';
import { text } from '../../ui-kit/texts/text';
import type { Actions } from '../view';
import type { DownloadedPreset, PresetChoice } from './choices';
import { infoOf, type ModelsState, offeredPreset } from './state';

/** What is done, for headings; null if the wait, the download or the conversion is complete. */
export function stepName({ step, receivedBytes, totalBytes }: ModelDownload, preset: string): string | null {
  if (receivedBytes >= totalBytes) return null;
  if (step === 'wait') return text.models.waiting(preset);
  return step === 'download' ? text.models.downloading(preset) : text.models.converting(preset);
}

/** The progress of a download or conversion, in bytes and percent. Hidden during a wait. */
export function downloadMeter(): { readonly element: HTMLElement; readonly update: (download: ModelDownload) => void } {
  const fill = h('div', { class: 'bar__fill' });
  const bar = h(
    'div',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-label': text.models.progress.download,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'data-testid': 'download-progress',
    },
    fill,
  );
  const amount = h('p', { class: 'download__amount mono' });
  const element = h('div', { class: 'download' }, bar, amount);
  return {
    element,
    update({ step, receivedBytes, totalBytes }) {
      element.hidden = step === 'wait';
      if (step === 'wait') return;
      const fraction = totalBytes > 0 ? receivedBytes / totalBytes : 0;
      const words = text.models.received(receivedBytes, totalBytes);
      setAttribute(bar, 'aria-label', text.models.progress[step]);
      fill.style.transform = `scaleX(${fraction})`;
      setAttribute(bar, 'aria-valuenow', Math.round(fraction * 100));
      setAttribute(bar, 'aria-valuetext', words);
      setText(amount, words);
    },
  };
}

type BoxActions = Pick<Actions, 'downloadModel' | 'stopDownload' | 'answerQuestion' | 'dismissModelFailure'>;

interface Part {
  readonly children: readonly Node[];
  readonly update?: (models: ModelsState) => void;
}

/** The box below the drop zone. Offers the model of a preset, shows its download, and asks about a file with an unknown hash. */
export function modelBox(
  scope: Scope,
  actions: BoxActions,
): { readonly element: HTMLElement; readonly update: (models: ModelsState, chosen: PresetChoice) => void } {
  const element = h('section', { class: 'model-box panel', 'aria-label': text.models.box, tabindex: -1, hidden: true });
  let partScope = scope.child();
  let shown: unknown = null;
  let part: Part | null = null;

  return {
    element,
    update(models, chosen) {
      const subject = subjectOf(models, chosen);
      if (subject !== shown) {
        shown = subject;
        const hadFocus = element.contains(document.activeElement);
        partScope.dispose();
        partScope = scope.child();
        part = partOf(models, chosen, partScope, actions);
        element.replaceChildren(...(part?.children ?? []));
        element.hidden = part === null;
        // The clicked button is gone: move the focus to the next one.
        if (hadFocus && part) (element.querySelector('button') ?? element).focus();
        // The file was dropped while the box was out of view.
        else if (part && (models.preparing ?? models.question ?? models.failure)) element.scrollIntoView({ block: 'nearest' });
        else if (hadFocus) document.querySelector<HTMLElement>('#content')?.focus();
      }
      part?.update?.(models);
    },
  };
}

/** Identity of what is shown; null if nothing is. */
function subjectOf(models: ModelsState, chosen: PresetChoice): unknown {
  const { preparing, question, failure } = models;
  if (preparing) return preparing;
  if (question ?? failure) return question ?? failure;
  const preset = offeredPreset(models, chosen);
  const facts = preset && infoOf(models, preset);
  if (!facts) return null;
  return `offer ${preset} ${facts.bytes} ${receivedBytes(models, facts)} ${models.facts[preset] !== undefined}`;
}

/** What is here of an interrupted download, of this or an earlier visit. */
const receivedBytes = ({ stopped }: ModelsState, { model, receivedBytes: stored }: PresetInfo): number =>
  stopped?.model === model ? stopped.receivedBytes : stored;

/** The label of the button that starts the download of an offer, or continues it. */
export function offerLabel(models: ModelsState, facts: PresetInfo): string {
  const received = receivedBytes(models, facts);
  const { goOn, take } = text.models.offer;
  return received > 0 ? goOn(facts.bytes - received) : take(facts.bytes);
}

function partOf(models: ModelsState, chosen: PresetChoice, scope: Scope, actions: BoxActions): Part | null {
  const { preparing, question, failure } = models;
  if (preparing) return progressPart(models, scope, actions);
  if (question) return questionPart(models, scope, actions);
  if (failure) return failurePart(models, scope, actions);
  const offered = offeredPreset(models, chosen);
  return offered && offerPart(models, offered, scope, actions);
}

function button(scope: Scope, label: string, testId: string, isPrimary: boolean, onClick: () => void): HTMLElement {
  const look = isPrimary ? 'button button--primary' : 'button';
  const element = h('button', { type: 'button', class: look, 'data-testid': testId }, label);
  scope.on(element, 'click', onClick);
  return element;
}

function offerPart(models: ModelsState, preset: DownloadedPreset, scope: Scope, { downloadModel }: BoxActions): Part | null {
  const facts = infoOf(models, preset);
  if (!facts) return null;
  const { offer } = text.models;
  const described = models.facts[preset];
  const label = offerLabel(models, facts);
  return {
    children: [
      h(
        'div',
        { class: 'model-box__text' },
        h('h3', {}, offer.heading(preset)),
        h('p', {}, offer.leads[preset]),
        ...(described
          ? [offerFacts(preset, facts, described), h('p', { class: 'fine' }, `${facts.attribution}. ${offer.orFile}`)]
          : [h('p', { class: 'fine' }, `${offer.facts(facts.bytes, facts.license, facts.attribution)} ${offer.orFile}`)]),
      ),
      h('div', { class: 'button-row' }, button(scope, label, `offer-${preset}`, false, () => { downloadModel(preset); })),
    ],
  };
}

/** What the user should know before a chosen model is downloaded. */
function offerFacts(preset: DownloadedPreset, { bytes, license }: PresetInfo, { repository, revision, address, kept }: DownloadFacts): HTMLElement {
  const { labels, ...words } = text.models.offer;
  const rates: Readonly<Partial<Record<DownloadedPreset, string>>> = words.rates;
  const row = (name: string, id: string, ...value: readonly (Node | string)[]): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', { 'data-testid': `offer-${id}` }, ...value));
  const page = licensePage(license);
  return h(
    'dl',
    { class: 'facts model-box__facts' },
    row(labels.download, 'bytes', words.size(bytes)),
    row(labels.kept, 'kept', words.kept(kept, bytes)),
    row(labels.license, 'license', page === null ? licenseName(license) : outside(page, licenseName(license))),
    ...(address !== null && repository !== null && revision !== null
      ? [row(labels.source, 'source', outside(address, repository), `, ${words.revision(revision)}`)]
      : []),
    ...(rates[preset] === undefined ? [] : [row(labels.rates, 'rates', rates[preset])]),
  );
}

/** A link to another site, which opens only on a click. */
const outside = (href: string, label: string): HTMLElement => h('a', { href, target: '_blank', rel: 'noreferrer' }, label);

function progressPart({ preparing }: ModelsState, scope: Scope, { stopDownload }: BoxActions): Part {
  const downloading = preparing ? text.models.downloading(preparing.preset) : '';
  const first = preparing?.file ? text.models.checking(preparing.file.name) : downloading;
  const heading = h('h3', {}, first);
  const meter = downloadMeter();
  meter.element.hidden = true;
  return {
    children: [
      h('div', { class: 'model-box__text' }, heading, meter.element),
      h('div', { class: 'button-row' }, button(scope, text.models.stop, 'cancel-download', false, stopDownload)),
    ],
    update({ download }) {
      if (!download) return;
      meter.update(download);
      setText(heading, stepName(download, preparing?.preset ?? '') ?? text.models.starting);
    },
  };
}

function questionPart({ question }: ModelsState, scope: Scope, { answerQuestion }: BoxActions): Part | null {
  if (!question) return null;
  const words = text.models.question;
  return {
    children: [
      h(
        'div',
        { class: 'model-box__text', role: 'alert' },
        h('h3', {}, words.heading),
        ...questionWords(question.preset, question.file.name),
        failureDetails(question.failure, { ...text.error, remedy: null }),
      ),
      h(
        'div',
        { class: 'button-row' },
        button(scope, words.yes, 'trust-model', false, () => {
          answerQuestion(true);
        }),
        button(scope, words.no, 'refuse-model', false, () => {
          answerQuestion(false);
        }),
      ),
    ],
  };
}

/** The texts about a file with an unknown hash, and the checks that would be made. */
export function questionWords(preset: DownloadedPreset, file: string): readonly HTMLElement[] {
  const words = text.models.question;
  return [h('p', {}, words.unknown(file)), h('p', { class: 'fine' }, words.checked[preset](text.models.networks[preset]))];
}

function failurePart({ failure }: ModelsState, scope: Scope, actions: BoxActions): Part | null {
  if (!failure) return null;
  const words = text.models.failed;
  const { during, preset, name } = failure;
  const heading = during === 'file' ? words.file(name ?? '') : during === 'download' ? words.download(preset ?? '') : words.deletion;
  const buttons = [button(scope, words.dismiss, 'dismiss-model-failure', false, actions.dismissModelFailure)];
  if (during === 'download' && preset) {
    buttons.unshift(button(scope, words.retry, 'retry-download', false, () => { actions.downloadModel(preset); }));
  }
  return {
    children: [
      h(
        'div',
        { class: 'model-box__text', role: 'alert', 'data-testid': 'model-failure' },
        h('h3', {}, heading),
        failureDetails(failure.failure, text.error),
        failure.failure.code && h('p', { class: 'fine mono' }, text.error.code(failure.failure.code)),
      ),
      h('div', { class: 'button-row' }, ...buttons),
    ],
  };
}
