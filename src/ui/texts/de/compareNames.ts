import type { AuditEntry, AuditFlag } from '../../../compare/auditReport';
import type { Pair } from '../../../compare/picture';
import type { CauseId, Outcome } from '../../../compare/report';
import type { Reading } from '../../compare/selection';
import type { HeatScale, JobKind, Notice } from '../../compare/state';

/** What the comparison panel calls each of a closed set of things in German; part of the table of its words. */

/** With spaces that do not break before the dot: it would begin a line. */
export const PAIRS: Readonly<Record<Pair, string>> = {
  'golden-wasm': 'Referenz\u00a0· WASM',
  'golden-webgpu': 'Referenz\u00a0· WebGPU',
  'golden-kernels': 'Referenz\u00a0· eigene Kernel',
  'wasm-webgpu': 'WASM\u00a0· WebGPU',
};

export const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'Nur eine Aufgabe auf einmal: Die laufende geht weiter, die neue wurde nicht übernommen.',
  cancelled: 'Abgebrochen. Was vorher berechnet wurde, bleibt erhalten.',
};

export const JOBS: Readonly<Record<JobKind, string>> = {
  open: 'Öffnen',
  map: 'Benennung einer Stufe',
  compare: 'Vergleich',
  audit: 'Prüfung der Gewichte',
  bisect: 'Eingrenzung',
};

export const VERDICTS: Readonly<Record<Outcome, string>> = { pass: 'stimmt', fail: 'weicht ab', incomplete: 'unvollständig' };

export const READINGS: Readonly<Record<Reading, string>> = {
  'all-pass': 'Beide Backends geben die Referenzausgaben wieder.',
  'same-stage': 'Beide Backends weichen bei derselben Stufe ab: Sehen Sie sich den exportierten Graphen an, nicht ein Backend.',
  'webgpu-only': 'WASM gibt die Referenzausgaben wieder, WebGPU nicht: Der Graph stimmt, das GPU-Backend nicht.',
  'wasm-only': 'WebGPU gibt die Referenzausgaben wieder, WASM nicht: Der Graph stimmt, das WASM-Backend nicht.',
  'kernels-only': 'ONNX Runtime gibt die Referenzausgaben wieder, unsere eigenen Kernel nicht: Der Graph stimmt, ein Kernel nicht.',
  'two-stages': 'Die Backends weichen bei verschiedenen Stufen von den Referenzausgaben ab: Beheben Sie zuerst die frühere.',
  'one-backend': 'Vergleichen Sie auch das andere Backend: Ein Fehler des Exports zeigt sich auf beiden, einer des Backends nur dort.',
};

/** What a cause is called, and where to look for it. */
export const CAUSES: Readonly<Record<CauseId, readonly [string, string]>> = {
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

export const FLAGS: Readonly<Record<AuditFlag, string>> = {
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

export const MATCHES: Readonly<Record<NonNullable<AuditEntry['match']>['how'], string>> = {
  name: 'nach Name',
  bytes: 'nach Bytes',
  permuted: 'Achsen vertauscht',
  reordered: 'umsortiert',
};

export const SCALES: Readonly<Record<HeatScale, string>> = { log: 'Log', linear: 'Linear' };
