import type { TestResult } from './test-command.ts';

/** The results as JUnit XML, which CI systems read. */
export function junitOf(results: readonly TestResult[]): string {
  const suites = [...Map.groupBy(results, ({ file }) => file)].map(([file, tests]) => {
    const failed = tests.filter(({ failures }) => failures.length > 0).length;
    const cases = tests.map(({ workflow, name, ms, failures }) => {
      const open = `    <testcase classname="${escape(workflow)}" name="${escape(name)}" time="${(ms / 1000).toFixed(3)}"`;
      if (failures.length === 0) return `${open}/>`;
      return `${open}>\n      <failure message="${escape(failures[0] ?? '')}">${escape(failures.join('\n'))}</failure>\n    </testcase>`;
    });
    return `  <testsuite name="${escape(file)}" tests="${tests.length}" failures="${failed}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML has no place for other control characters, not even as entities. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (found) => ENTITIES[found] ?? '').replaceAll(/(?![\t\n\r])\p{Cc}/gu, '?');
}
