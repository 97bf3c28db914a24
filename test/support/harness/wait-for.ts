// Waits for a condition with a deadline: the one way in which these tests wait.
import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `probe` gives something other than undefined or false; a rejection counts as not yet, and is told at the end. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    let failure: unknown;
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`, { cause: failure });
    await sleep(options.intervalMs ?? 40);
  }
}
