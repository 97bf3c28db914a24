// How much room a worker thread's V8 has for new objects. Its own choice (48 MB) is meant for one heap a process; with four threads most
// of the memory of a process would be that. A third of it is enough, since what waits between two threads is bytes and numbers: measured
// with mixed transactions and with commits of one row, 12 MB cost some 7 % more processor time than 24, and 16 at most 3 %.
export const threadLimits = { maxYoungGenerationSizeMb: 16 } as const;
