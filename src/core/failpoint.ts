// Named places where a test can end the process as kill -9 would. WRITETHROUGH_FAILPOINT=name or name:N dies at the N-th
// passing of that place. Off (the variable is unset), a failpoint is a comparison with undefined.
const setting = process.env['WRITETHROUGH_FAILPOINT'];
const [armedName, armedCount] = setting === undefined ? [undefined, 1] : parse(setting);
let remaining = armedCount;

function parse(text: string): [string, number] {
  const [name, count] = text.split(':');
  return [name!, Number(count ?? 1)];
}

/** All places, so that a test can walk through every one. The order is the order of the data's way. */
export const failpoints = [
  'source-before-first-chunk',
  'connect-before-append',
  'connect-after-append',
  'engine-before-begin',
  'engine-after-log-write',
  'engine-after-apply',
  'engine-before-commit',
  'engine-after-commit',
  'engine-after-confirm',
  'kafka-before-commit-record',
  'kafka-before-commit',
  'kafka-after-commit',
  'outbox-before-produce',
  'outbox-after-produce',
  'statement-before-append',
  'statement-after-append',
  'rebuild-after-chunk',
  'rebuild-before-swap',
  'rebuild-after-swap',
  'rebuild-before-drop',
  'sqlite-after-read',
  'sqlite-before-prune',
] as const;
export type Failpoint = (typeof failpoints)[number];

export function failpoint(name: Failpoint): void {
  if (armedName === name && --remaining === 0) process.kill(process.pid, 'SIGKILL');
}
