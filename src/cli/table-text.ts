// Plain text tables: columns padded to their widest cell, two spaces between, a line under the head.
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd() + '\n';
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}
