// How many files the process may have open, and what of that is left for connections. The rest is for what it needs itself: the data file
// and its log in each thread, what a thread of Node opens (about ten each), sources, brokers, temporary files.
import { readFileSync } from 'node:fs';

const ownFiles = 64;
/** Of what is left: each connector takes some. */
const connectionsShare = 0.75;
const connectionsMin = 8;
const connectionsMax = 10_000;

/** Undefined where the system does not tell. */
export function fileLimit(read: () => string = () => readFileSync('/proc/self/limits', 'latin1')): number | undefined {
  let text: string;
  try {
    text = read();
  } catch {
    return undefined; // no Linux: what is usual elsewhere is assumed
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft === undefined ? undefined : Number(soft);
}

export function connectionsFor(files: number | undefined): number {
  if (files === undefined) return 1_000;
  const left = Math.floor((files - ownFiles) * connectionsShare);
  return Math.min(connectionsMax, Math.max(connectionsMin, left));
}
