// Named places where a test can end the process as kill -9 would. WRITETHROUGH_FAILPOINT=name or name:N dies at the N-th
// passing of that place; a simulation, whose process is only a part of its own, listens instead. Off (the variable is unset), a
// failpoint is a comparison with undefined.
type FailpointListener = (name: Failpoint) => void;

const setting = process.env['WRITETHROUGH_FAILPOINT'];
let reached: FailpointListener | undefined = setting === undefined ? undefined : dieAt(setting);

function dieAt(text: string): FailpointListener {
  const [armed, count] = text.split(':');
  let remaining = Number(count ?? 1);
  return (name) => {
    if (armed === name && --remaining === 0) process.kill(process.pid, 'SIGKILL');
  };
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
  'upkeep-before-commit',
  'upkeep-after-step',
  'sqlite-after-read',
  'sqlite-before-prune',
] as const;
export type Failpoint = (typeof failpoints)[number];

export function failpoint(name: Failpoint): void {
  reached?.(name);
}

/** Instead of what the environment says; what the listener throws is thrown where the failpoint stands. */
export function onFailpoint(listener: FailpointListener | undefined): void {
  reached = listener;
}
