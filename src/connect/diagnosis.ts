// What is wrong or risky with a source: the findings, errors first, as `writethrough doctor` and the REST call show them.
import type { SourceFinding } from '../source/source-connector.js';

export interface Diagnosis {
  /** Of the connector. */
  readonly name: string;
  readonly class: string;
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  readonly findings: readonly SourceFinding[];
}

const order = { error: 0, warning: 1, note: 2 } as const;

export function diagnosisOf(
  name: string,
  className: string,
  findings: readonly SourceFinding[],
  redact: (text: string) => string,
): Diagnosis {
  const count = (severity: SourceFinding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  return {
    name,
    class: className,
    errors: count('error'),
    warnings: count('warning'),
    notes: count('note'),
    findings: findings
      .map((finding) => ({
        ...finding,
        message: redact(finding.message),
        ...(finding.hint === undefined ? {} : { hint: redact(finding.hint) }),
      }))
      .toSorted((one, other) => order[one.severity] - order[other.severity]),
  };
}
