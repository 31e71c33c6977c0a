import type { Pair } from '../../compare/picture';
import type { AuditEntry, AuditFlag, CauseId, Outcome } from '../../compare/report';
import { formatsIn } from '../../ui-kit/format';
import { figuresIn } from '../figures';
import type { HeatScale, JobKind, Notice, Reading } from '../state';
import { BACKENDS, type CompareWords, SHIPPED } from './en';

/** German names for closed sets of values; part of the text table of the comparison panel. */

/** No-break spaces keep the dot from starting a line. */
const PAIRS: Readonly<Record<Pair, string>> = {
  'golden-wasm': 'Referenz\u00a0· WASM',
  'golden-webgpu': 'Referenz\u00a0· WebGPU',
  'golden-kernels': 'Referenz\u00a0· eigene Kernel',
  'wasm-webgpu': 'WASM\u00a0· WebGPU',
};

const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'Nur eine Aufgabe auf einmal: Die laufende geht weiter, die neue wurde nicht übernommen.',
  cancelled: 'Abgebrochen. Was vorher berechnet wurde, bleibt erhalten.',
};

const JOBS: Readonly<Record<JobKind, string>> = {
  open: 'Öffnen',
  map: 'Benennung einer Stufe',
  form: 'Umwandlung der Gewichte in',
  step: 'Auswahl eines Schritts',
  compare: 'Vergleich',
  audit: 'Prüfung der Gewichte',
  bisect: 'Eingrenzung',
};

const VERDICTS: Readonly<Record<Outcome, string>> = { pass: 'stimmt', fail: 'weicht ab', incomplete: 'unvollständig' };

const READINGS: Readonly<Record<Reading, string>> = {
  'all-pass': 'Beide Backends geben die Referenzausgaben wieder.',
  'same-stage': 'Beide Backends weichen bei derselben Stufe ab: Sehen Sie sich den exportierten Graphen an, nicht ein Backend.',
  'webgpu-only': 'WASM gibt die Referenzausgaben wieder, WebGPU nicht: Der Graph stimmt, das GPU-Backend nicht.',
  'wasm-only': 'WebGPU gibt die Referenzausgaben wieder, WASM nicht: Der Graph stimmt, das WASM-Backend nicht.',
  'kernels-only': 'ONNX Runtime gibt die Referenzausgaben wieder, unsere eigenen Kernel nicht: Der Graph stimmt, ein Kernel nicht.',
  'two-stages': 'Die Backends weichen bei verschiedenen Stufen von den Referenzausgaben ab: Beheben Sie zuerst die frühere.',
  'one-backend': 'Vergleichen Sie auch das andere Backend: Ein Fehler des Exports zeigt sich auf beiden, einer des Backends nur dort.',
};

/** The name of each cause, and where to look for it. */
const CAUSES: Readonly<Record<CauseId, readonly [string, string]>> = {
  'permuted-axes': ['Vertauschte Achsen', 'Am Rand dieser Stufe fehlt eine Transposition, oder sie ist doppelt.'],
  scaled: ['Konstanter Faktor', 'Eine Skalierung fehlt oder wirkt doppelt: Wertebereich des Tons, Attention, Normierung.'],
  offset: ['Konstanter Versatz', 'Ein Bias oder ein Mittelwert fehlt oder wirkt doppelt.'],
  'shifted-frames': ['Verschobene Frames', 'Das Padding sitzt auf der anderen Seite, oder ein Frame ist zentriert statt linksbündig.'],
  'frame-count': ['Andere Anzahl von Frames', 'Schrittweite, Padding oder Länge der Eingabe unterscheiden sich.'],
  'channel-order': ['Andere Reihenfolge der Kanäle', 'Heads, Filter oder Klassen sind anders sortiert.'],
  'all-zeros': ['Nur Nullen', 'Gewichte wurden nicht geladen, oder das Backend hat nichts ausgeführt.'],
  'zero-weights': ['Gewichte sind null', 'Im Checkpoint heißt diese Schicht anders: Prüfen Sie die Gewichte.'],
  'not-finite': ['NaN oder Inf', 'Überlauf, Division durch null oder Logarithmus von null.'],
  'log-base': ['Anderer Logarithmus', 'Natürlicher, Zehnerlogarithmus und Dezibel sind verwechselt.'],
  'missing-mean': ['Mittelwert nicht abgezogen', 'In den Merkmalen ist der Mittelwert über die Frames noch enthalten, oder er ist doppelt abgezogen.'],
  'fbank-window': ['Andere Filterbank-Einstellung', 'Fensterfunktion, Preemphase oder Gleichanteil unterscheiden sich.'],
  'sample-scale': ['Anderer Wertebereich der Samples', 'Samples in [-1, 1], wo 16-Bit-Ganzzahlen gemeint sind, oder umgekehrt.'],
  'lstm-gates': ['Reihenfolge der LSTM-Gates', 'ONNX ordnet die Gates i, o, f, c; PyTorch i, f, g, o.'],
  'lstm-direction': ['LSTM-Richtungen vertauscht', 'Die Gewichte für vorwärts und rückwärts haben die Plätze getauscht.'],
  'equals-stage': ['Werte einer anderen Stufe', 'Ein Schritt zwischen den beiden Stufen fehlt oder ist zusammengefasst, oder die Stufe heißt falsch.'],
  'missing-bias': ['Fehlender Bias', 'Der Bias einer Schicht wurde nicht geladen oder fehlt im Export.'],
  'other-bias': ['Anderer Bias', 'Der Bias einer Schicht hat andere Werte, oder ein Wert mit derselben Wirkung ist anders, etwa der Mittelwert einer Batchnorm.'],
  'channel-scale': ['Anderer Faktor je Kanal', 'Eine Normierung oder die Faktoren quantisierter Gewichte fehlen oder sind doppelt angewandt.'],
  'float16-overflow': ['Überlauf in float16', 'Die Werte liegen über 65504. Rechnen Sie diese Stufe in float32.'],
  'weight-transposed': ['Transponiertes Gewicht', 'Ein quadratisches Gewicht ist transponiert: PyTorch speichert (aus, ein), MatMul liest (ein, aus).'],
  epsilon: ['Anderes Epsilon', 'Setzen Sie das Epsilon der Normierung auf das des Originalmodells.'],
  'norm-groups': ['Andere Anzahl von Gruppen', 'Setzen Sie die Zahl der Gruppen der Normierung auf die des Originalmodells.'],
  activation: ['Andere Aktivierungsfunktion', 'Prüfen Sie, welche Funktion das Originalmodell nutzt, etwa GELU mit erf oder mit tanh.'],
  'softmax-axis': ['Softmax über eine andere Achse', 'Prüfen Sie die Achse des Softmax, auch nach einem Transpose.'],
  'attention-scale': ['Faktor der Attention', 'Die Division durch √d fehlt oder ist doppelt.'],
  'causal-mask': ['Kausale Maske', 'Die Maske der Attention fehlt, oder das Originalmodell hat keine.'],
  'query-key-swapped': ['Queries und Keys vertauscht', 'Die Gewichte der beiden Projektionen haben die Plätze getauscht.'],
  'interleaved-heads': ['Verschränkte Heads', 'Das Reshape in Heads liest (Head, Kanal) als (Kanal, Head) oder umgekehrt.'],
  'conv-kernel': ['Kern einer Faltung', 'Der Kern ist gespiegelt oder transponiert, oder die Kanäle sind anders sortiert.'],
  padding: ['Anderes Padding', 'Das Padding sitzt auf einer anderen Seite oder hat andere Werte als im Originalmodell.'],
  gru: ['Andere GRU-Variante', 'PyTorch ordnet die Gates r, z, n und braucht linear_before_reset = 1; ONNX ordnet sie z, r, h.'],
  'batch-norm-training': ['Batchnorm im Trainingsmodus', 'Eine Seite normiert mit den Werten des Batchs. Rufen Sie vor dem Export model.eval() auf.'],
  'resize-mode': ['Anderer Resize-Modus', 'Die Interpolation oder die Lage ihrer Stützstellen ist anders.'],
  pooling: ['Anderes Pooling', 'Das Pooling bildet den Mittelwert oder das Maximum, zählt das Padding mit oder nicht, oder rundet seine Größe auf oder ab.'],
  'double-preprocessing': ['Eingabe doppelt normiert', 'Der Graph normiert seine Eingabe selbst: Geben Sie ihm die rohe Eingabe.'],
  'rounded-weights': ['Gerundete Gewichte', 'Die Referenzausgaben stammen von einem Modell mit Gewichten in float16, bfloat16 oder int8.'],
  'negated-weight': ['Gewicht mit anderem Vorzeichen', 'Ein Gewicht einer Schicht wurde negiert.'],
  'zero-point': ['Anderer Nullpunkt', 'Der Nullpunkt quantisierter Werte ist ein anderer.'],
  'batch-dependent': ['Hängt von der Batchgröße ab', 'Padding oder Normierung greift über den Batch hinweg.'],
  'run-to-run': ['Von Lauf zu Lauf verschieden', 'Ein Wettlauf im Backend, eingeschaltetes Dropout oder Zufallszahlen im Graphen.'],
  accumulated: ['Aufsummierte Rundung', 'Jede Stufe liegt mit Referenzeingabe in der Toleranz, und kein Abschnitt davor bringt den größten Teil des Fehlers.'],
};

const FLAGS: Readonly<Record<AuditFlag, string>> = {
  'all-zero': 'nur Nullen',
  initial: 'Anfangswerte',
  'not-finite': 'NaN oder Inf',
  unmatched: 'ohne Gegenstück',
  permuted: 'Achsen vertauscht',
  reordered: 'umsortiert',
  'values-differ': 'Werte verschieden',
  'shape-differs': 'Form verschieden',
  misaligned: 'versetzt',
};

const MATCHES: Readonly<Record<NonNullable<AuditEntry['match']>['how'], string>> = {
  name: 'nach Name',
  bytes: 'nach Bytes',
  permuted: 'Achsen vertauscht',
  reordered: 'umsortiert',
};

const SCALES: Readonly<Record<HeatScale, string>> = { log: 'Log', linear: 'Linear' };

/** All texts of the comparison panel in German. Golden outputs are `Referenzausgaben`, stages are `Stufen`. */

const { bytes: bytesText, count, decimal, localized, percent } = formatsIn('de');
const { figure, secondsText, shortFigure } = figuresIn('de');
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;
const stages = (n: number): string => plural(n, 'Stufe', 'Stufen');
const nodes = (n: number): string => `${count(n)} Knoten`;
const tensors = (n: number): string => plural(n, 'Tensor', 'Tensoren');

export const compareDe: CompareWords = {
  tagline: 'Findet die erste Schicht einer Portierung, die vom Original abweicht. Nichts verlässt dieses Gerät.',
  link: { href: './', label: 'Aufnahme analysieren' },
  backends: { ...BACKENDS, kernels: 'Eigene Kernel (WASM)' },
  pairs: PAIRS,
  verdicts: VERDICTS,
  notices: NOTICES,
  jobs: JOBS,
  jobOn: (job, subject) => `${job}: ${subject}`,
  pageTitle: {
    empty: 'Voxlane: die falsche Schicht finden',
    working: (job, subject) => `${job}: ${subject} · Voxlane`,
    opened: (model) => `${model} · Voxlane`,
    divergence: (stage, model) => `${stage} weicht ab · ${model} · Voxlane`,
  },
  drop: {
    ready: 'Ablegen, um diese Dateien zu öffnen',
    busy: 'Nur eine Aufgabe auf einmal: Brechen Sie zuerst die laufende ab',
  },

  empty: {
    heading: 'Die falsche Schicht eines Modells finden',
    lead: 'Legen Sie ein Modell und seine Referenzausgaben irgendwo auf dieser Seite ab. Jede Schicht wird hier ausgeführt und mit den Ausgaben des Originals verglichen.',
    choose: 'Dateien auswählen',
    folder: 'Ordner auswählen',
    shipped: 'Oder ein Modell dieser App mit seinen Referenzausgaben vergleichen',
    models: SHIPPED,
    facts: [
      ['Referenzausgaben', 'Ein Bündel (.zip), ein Ordner, .npz, .npy oder .safetensors'],
      ['Modell', 'Jedes .onnx; bei einem Bündel zu einem Modell dieser App nicht nötig'],
      ['Checkpoint', '.safetensors, .npz oder .gguf, zum Prüfen der Gewichte'],
      ['Keine Referenzausgaben?', 'Ein Modell allein wird eingegrenzt: WebGPU gegen WASM, bis auf einen Knoten'],
    ],
  },

  bench: {
    label: 'Modell',
    shipped: 'aus dieser App',
    summary: (numStages, numNodes) => `${stages(numStages)} mit Referenzausgaben · ${nodes(numNodes)}`,
    summaryAlone: (numNodes) => `${nodes(numNodes)}, keine Referenzausgaben: WebGPU lässt sich gegen WASM eingrenzen`,
    again: 'Andere öffnen',
    backends: 'Ausführen auf',
    both: 'Beide',
    thorough: 'Wiederholbarkeit prüfen',
    thoroughHint: 'Führt alles zweimal aus, und einmal mit einer anderen Batchgröße.',
    run: 'Vergleich starten',
    bisect: 'WebGPU gegen WASM eingrenzen',
    bisectTolerance: 'Toleranz',
    bisectToleranceHint: 'Größter Unterschied, der nicht zählt, bezogen auf den größten Wert eines Tensors',
    bisectDefault: 'üblich',
    audit: 'Gewichte prüfen',
    auditAgainst: (file) => `Gewichte gegen ${file} prüfen`,
    noGpu: 'WebGPU lässt sich nicht wählen: Dieser Browser bietet es nicht an.',
    noAdapter: 'WebGPU lässt sich nicht wählen: Dieses Gerät hat keinen Adapter dafür.',
    cancel: 'Abbrechen',
    escape: 'Esc',
    waiting: 'Startet',
    progress: (step, fraction) => `${step}: ${percent(fraction)}`,
  },
  mapping: {
    heading: (n) => `${stages(n)} ohne Wert im Graphen`,
    hint: 'Nennen Sie den Wert, dem jede entspricht; dann wird sie verglichen.',
    label: (stage) => `Wert im Graphen für ${stage}`,
    placeholder: 'Name des Werts',
    unknown: 'Der Graph hat keinen Wert dieses Namens.',
  },

  steps: {
    heading: 'Schritte',
    hint: 'Jeder Schritt wird aus dem Referenzzustand berechnet, was den Fehler dieses Schritts allein ergibt, und aus dem eigenen Zustand, was die Drift hinzufügt.',
    notCompared: 'Der Vergleich zeigt die Fehler aller Schritte.',
    form: 'Form der Gewichte',
    previous: 'Voriger Schritt',
    next: 'Nächster Schritt',
    name: (index) => `Schritt ${index}`,
    stateName: 'Zustand',
    stagesOf: 'Relative Fehler des gewählten Schritts',
    names: { pass: 'stimmt', step: 'Fehler des Schritts', drift: 'Drift des Zustands' },
    pass: 'alle Schritte stimmen.',
    fail: (step, stage, kind) => `zuerst in Schritt ${step}: ${stage}, ${kind}.`,
    perTenThousand: (golden, own) => `Von 10.000 Entscheidungen weichen ${golden} aus dem Referenzzustand ab und ${own} aus dem eigenen.`,
    mostBy: (stage, count, total) => `${stage} verursacht ${count} von ${total} abweichenden Entscheidungen, auch in Frames des Zustands.`,
    frames: (frames, others) => `${count(frames)}, davon ${count(others)} andere`,
    otherNumber: (frames, golden) => `${count(frames)}, Referenz ${count(golden)}`,
    columns: {
      step: 'Schritt',
      time: 'Zeit',
      verdict: 'Urteil',
      first: 'Zuerst verantwortlich',
      state: 'Frames des Zustands',
      stage: 'Stufe',
      golden: 'Aus dem Referenzzustand',
      own: 'Aus dem eigenen Zustand',
      drift: 'Drift',
    },
  },

  verdict: {
    label: 'Ergebnis',
    pass: (n) => (n === 1 ? 'Die eine Stufe stimmt' : `Alle ${stages(n)} stimmen`),
    passPart: (compared, total) => `${count(compared)} von ${stages(total)} verglichen, alle davon stimmen`,
    incomplete: (compared, total) => `Zu wenig verglichen für ein Ergebnis: ${count(compared)} von ${stages(total)}`,
    part: (compared, total) => `${count(compared)} von ${stages(total)} verglichen.`,
    uncompared: (names) => `Nicht verglichen: ${names}.`,
    mergedWith: (stage) => `mit ${stage} zusammengefasst`,
    noOutput: 'Keine Ausgabe des Graphen wurde verglichen.',
    gap: (names) => `Die erste Abweichung kann früher liegen: Davor wurde nicht verglichen: ${names}.`,
    andMore: (n) => `und ${count(n)} weitere`,
    decisions: (kind, unit, differing, total) => {
      const [isOne, of] = [differing === 1, `${count(differing)} von ${count(total)}`];
      const rows = { frame: 'Frames', item: 'Eingaben', row: 'Zeilen' };
      if (kind === 'class') return `${of} ${rows[unit]} ${isOne ? 'hat' : 'haben'} eine andere Klasse`;
      if (kind === 'threshold') return `${of} Werten ${isOne ? 'liegt' : 'liegen'} auf der anderen Seite der Schwelle`;
      if (kind === 'rank') return `${of} Plätzen der Rangfolge ${isOne ? 'ist' : 'sind'} anders besetzt`;
      return `${of} Werten ${isOne ? 'weicht' : 'weichen'} ab`;
    },
    nearTies: (n, differing) => (n < differing ? `davon ${count(n)} fast gleichauf` : differing === 1 ? 'fast gleichauf' : 'alle fast gleichauf'),
    decisionCauses: (names) => `Abweichende Entscheidungen, nach der ersten Stufe, die sie verursacht: ${names}.`,
    fail: 'Erste Abweichung:',
    goTo: 'Diese Stufe zeigen',
    failNowhere: 'Weicht ab, doch keine Stufe ist für sich falsch',
    readings: READINGS,
    backend: (failing, total, seconds) =>
      `${failing === 0 ? `${count(total)} von ${count(total)} stimmen` : `${count(failing)} von ${stages(total)} ${failing === 1 ? 'weicht' : 'weichen'} ab`} · ${decimal(seconds, 2)} s`,
    first: (stage) => `erste Abweichung ${stage}`,
    edited: 'Beurteilt nach hier geänderten Toleranzen, nicht nach denen des Bündels.',
    reset: 'Zurück zu denen des Bündels',
    save: 'Bericht speichern',
    saveLabel: 'Bericht speichern, als JSON',
    print: 'Drucken',
  },

  table: {
    label: 'Stufen',
    columns: {
      stage: 'Stufe',
      pair: 'Paar',
      verdict: 'Urteil',
      forced: 'Mit Referenzeingabe',
      maxAbs: 'Max. abs.',
      meanAbs: 'Mittl. abs.',
      relative: 'Relativ',
      cosine: 'Kosinus',
      snr: 'SNR dB',
      argmax: 'Argmax',
      odd: 'NaN / Inf / 0',
      worst: 'Größter Fehler bei',
    },
    inherited: 'geerbt',
    inheritedHint: 'Weicht nur ab, weil eine Stufe davor abweicht.',
    mootHint: 'Mit eigener Eingabe stimmt die Stufe: Was abweicht, ist die eingesetzte Referenzausgabe.',
    forcedHint: 'Dieselbe Stufe, gespeist mit der Referenzausgabe der Stufen davor.',
    golden: (shape) => `Referenz ${shape}`,
    ours: (shape) => `hier ${shape}`,
    allowed: (rtol, maxAbs, cosine) =>
      [rtol !== null && `relativ ≤ ${figure(rtol)}`, maxAbs !== Infinity && `max. abs. ≤ ${figure(maxAbs)}`, `Kosinus ≥ ${localized(String(cosine))}`]
        .filter(Boolean)
        .join(', '),
    edited: 'geändert',
    search: 'Stufen suchen',
    onlyFailing: 'Nur abweichende',
    shown: (shown, total) => (shown === total ? stages(total) : `${count(shown)} von ${stages(total)}`),
    none: 'Keine Stufe passt dazu.',
    keys: [
      ['↑ ↓', 'Stufe für Stufe'],
      ['← →', 'Frame für Frame im Fehlerbild'],
      ['Enter', 'rund um den Frame abspielen'],
    ],
    keysLabel: 'Tasten',
  },
  causes: {
    names: CAUSES,
    heading: 'Wahrscheinliche Ursache',
    note: 'Hinweis',
    on: (backend) => `auf ${backend}`,
  },
  tolerances: {
    summary: 'Toleranzen',
    hint: 'Probieren Sie hier andere aus. Der Bericht und der Befehl urteilen weiter nach denen des Bündels.',
    all: 'Alle Stufen',
    rtol: 'Größter relativer Fehler',
    maxAbs: 'Größter absoluter Fehler',
    cosine: 'Kleinster Kosinus',
    field: (what, stage) => `${what}: ${stage}`,
    reset: 'Zurücksetzen',
  },

  detail: {
    label: 'Stufe',
    pair: 'Verglichen',
    scale: 'Farbskala',
    scales: SCALES,
    heat: 'Absoluter Fehler',
    waveform: 'Wellenform',
    playWorst: 'Schlechteste Sekunde abspielen',
    stop: 'Anhalten',
    drawing: 'Wird gezeichnet',
    worst: (place, values) => `Größter Fehler bei ${place}: ${values}`,
    quantiles: (median, p90, p99) => `Fehler: 50 % ≤ ${median}, 90 % ≤ ${p90}, 99 % ≤ ${p99}`,
    allowed: (bounds) => `Toleranz: ${bounds}`,
    time: 'Zeit, s',
    back: 'Zurück zur Tabelle',
    none: 'Kein Bild dieser Stufe.',
    whyNone: (problem, remedy) => [problem, remedy].flatMap((words) => (words ? `${words}.` : [])).join(' '),
    tolerance: 'Toleranz',
    notFinite: 'nicht endlich',
    histogram: 'Fehler nach Größe',
    histogramZeros: (zeros) => `${plural(zeros, 'Wert ist', 'Werte sind')} exakt gleich`,
    slice: (axis, column) => `Referenz gegen hier bei ${axis} ${column}`,
    sliceBetween: (axis, column) => `WASM gegen WebGPU bei ${axis} ${column}`,
    sliceWhole: 'Wert für Wert',
    sides: { golden: 'Referenz', wasm: 'WASM', webgpu: 'WebGPU', kernels: 'eigene Kernel' },
    values: 'Werte',
    error: 'Fehler',
    at: (axis, index, seconds) => `${axis} ${index}${seconds === null ? '' : ` · ${secondsText(seconds)}`}`,
    cell: (row, error) => `${row === null ? '' : `${row} · `}Fehler ${figure(error)}`,
    range: (axis, first, last) => `${axis} ${first === last ? first : `${first}–${last}`}`,
    slider: 'Gezeigter Frame',
    unnamedAxis: (index) => `Achse ${index}`,
    onlyValue: 'dem einzigen Wert',
    heatAlternative: (stage, pair, shape, maxError, where) =>
      `Fehlerbild des absoluten Fehlers von ${stage}, ${pair}, ${shape}. Größter Fehler ${figure(maxError)}, bei ${where}.`,
    histogramBin: (values, from, to) => `${count(values)} von ${shortFigure(from)} bis ${shortFigure(to)}`,
    histogramAlternative: (bins) => `Histogramm der absoluten Fehler: ${bins || 'gar kein Fehler'}.`,
    sliceAlternative: (axis, values, worst) =>
      `Liniendiagramm beider Seiten entlang ${axis}, ${plural(values, 'Wert', 'Werte')}, höchstens ${figure(worst)} auseinander.`,
    waveformAlternative: (seconds) => `Wellenform der Eingabe, ${secondsText(seconds)}, auf der Zeitachse des Fehlerbilds.`,
  },

  neighborhood: {
    heading: 'Im Graphen',
    value: 'Wert',
    module: 'Modul',
    weight: 'Gewicht',
    input: 'Eingabe des Graphen',
    before: 'Stufen davor',
    fromStart: 'keine: berechnet aus den Eingaben des Graphen',
    nodes: (n) => `${nodes(n)} von dort bis zu dieser Stufe`,
    readers: 'Gelesen von',
    none: 'Kein Knoten des Graphen berechnet diese Stufe.',
  },
  audit: {
    heading: 'Prüfung der Gewichte',
    clean: (n) => `Nichts Auffälliges in ${tensors(n)}`,
    flagged: (flagged, n) => `${count(flagged)} von ${tensors(n)} auffällig`,
    onlyFlagged: 'Nur auffällige',
    graph: 'Graph',
    columns: {
      tensor: 'Tensor',
      dtype: 'Typ',
      shape: 'Form',
      mean: 'Mittel',
      spread: 'Streuung',
      zeros: 'Nullen',
      nonFinite: 'NaN, Inf',
      match: 'Gegenstück',
      sha256: 'SHA-256',
    },
    flags: FLAGS,
    matches: MATCHES,
    none: 'Kein Tensor ist auffällig.',
  },
  bisect: {
    heading: 'WebGPU gegen WASM',
    pass: 'Kein Wert des Graphen weicht ab',
    fail: 'Erster abweichender Knoten:',
    facts: (numNodes, probes, tolerance) =>
      `${nodes(numNodes)}, ${plural(probes, 'Sitzung', 'Sitzungen')}, relative Toleranz ${figure(tolerance)}`,
    op: 'Operator',
    inputs: 'Eingaben',
    outputs: 'Ausgaben',
    attributes: 'Attribute',
    whole: 'Im ganzen Graphen',
    alone: 'Allein, mit den Eingaben von WASM',
    aloneFails: 'Der Knoten ist für sich falsch. Der Fehlerbericht enthält ihn, seine Eingaben und das Ergebnis von WASM.',
    range: (first, last) => `Aufgelaufen zwischen ${first} und ${last}`,
    rangeReading: (numNodes) =>
      `${nodes(numNodes)}, jeder für sich richtig: Rundung, die sich summiert, oder ein verschmolzener Kernel. Der Fehlerbericht enthält diese Knoten.`,
    download: 'Fehlerbericht herunterladen',
  },
  facts: {
    graph: 'Graph',
    goldens: 'Referenzausgaben',
    machine: 'Dieses Gerät',
    sha256: 'SHA-256',
    producer: 'Erzeugt von',
    opset: 'Opset',
    nodes: 'Knoten',
    size: 'Größe',
    inputs: 'Eingaben',
    input: (name, dtype, shape) => `${name}: ${dtype} ${shape}`,
    file: 'Datei',
    checkpoint: 'Checkpoint',
    notes: 'Hinweise',
    bytes: (bytes) => bytesText(bytes),
  },
  failure: {
    label: (job) => (job === null ? 'Hat nicht geklappt' : `Hat nicht geklappt: ${job}`),
    problem: 'Was nicht stimmte',
    expected: 'Was erwartet wurde',
    remedy: 'Was Sie tun können',
    code: (code) => `Code: ${code}`,
    dismiss: 'Schließen',
    kept: 'Was vorher berechnet wurde, steht weiter unten.',
  },
  announce: {
    opened: (model) => `${model} ist offen.`,
    stage: (name, verdict) => `${name}, ${verdict}`,
    bisected: (node) => (node === null ? 'Kein Knoten weicht ab.' : `Der erste abweichende Knoten ist ${node}.`),
    audited: (flagged) => `Prüfung fertig, ${tensors(flagged)} auffällig.`,
  },
};
