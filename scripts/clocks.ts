/** Finds tests that could fail because of elapsed time or memory use. */

/**
 * Patterns of time and memory measurements. They match text, because some code runs in pages or in workers given as strings.
 * They match names, not calls, because a clock can be imported, destructured or stored under another name first.
 */
const MEASURES = [
  // Most members of the object measure time. In quotes, it is an option of fake timers.
  /(?<!['"`])\bperformance\b/,
  /\b(perf_hooks|Temporal|timeOrigin|timeStamp)\b|\bdocument\s*\.\s*timeline\b/,
  // The constructor with an argument, and functions that convert, have no clock.
  /(?<!['"`])\bDate\b(?!\s*(\(|\.\s*(UTC|parse)\b))|\bDate\s*\(\s*\)/,
  /[\w)\]]\s*\[\s*['"`](performance|Date)['"`]\s*\]/,
  // The callback of the next frame gets the time.
  /\brequestAnimationFrame\s*\(\s*\(?\s*[A-Za-z_$][\w$]*\s*(:\s*\w+\s*)?\)?\s*=>/,
  /\b(hrtime|cpuUsage|threadCpuUsage|memoryUsage|resourceUsage|uptime|loadavg|freemem|eventLoopUtilization|monitorEventLoopDelay)\b/,
  /\b(usedJSHeapSize|getHeapUsage|getHeapStatistics|getHeapSpaceStatistics|measureUserAgentSpecificMemory|VmRSS|VmHWM)\b/,
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
