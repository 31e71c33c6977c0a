/** Finds tests that could fail because of elapsed time or memory use. */

/** Patterns of time and memory measurements. They match text, because some code runs in pages or in workers given as strings. */
const MEASURES = [
  /\bperformance\s*\.\s*(now|mark|measure|memory|timeOrigin|getEntries\w*)\b/,
  /\bDate\s*\.\s*now\b/,
  /\bnew Date\(\)/,
  /\btimeStamp\b/,
  /\bprocess\s*\.\s*(hrtime|cpuUsage|memoryUsage|resourceUsage|uptime)\b/,
  /\b(usedJSHeapSize|getHeapUsage|getHeapStatistics|measureUserAgentSpecificMemory)\b/,
  /\b(PerformanceObserver|startTracing|Performance\.getMetrics|Profiler\.start)\b/,
  /\bconsole\s*\.\s*time/,
  // Names of benchmark figures and of times in results.
  /\b(wallSeconds|minRtf|rtf|peakMegabytes|longestTaskMs)\b/,
  /\btimings\s*\.\s*\w+/,
];

/** A test line that measures time or memory. */
export interface Clock {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export function findClocks(file: string, text: string): Clock[] {
  return text.split('\n').flatMap((line, index) =>
    MEASURES.some((pattern) => pattern.test(line)) ? [{ file, line: index + 1, text: line.trim() }] : [],
  );
}

/** Whether a file is a test or a test helper. Benchmarks are excluded, because measuring is their purpose. */
export function isOfTests(path: string): boolean {
  if (path.startsWith('bench/')) return false;
  return /^(test|e2e)\//.test(path) || /\.(test|spec)\.tsx?$/.test(path);
}
