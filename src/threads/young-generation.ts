// How much room a worker thread's V8 has for new objects. Its own choice (48 MB) is meant for one heap a process; with four threads most
// of the memory of a process would be that. Half of it is where what waits between two threads (events, the small objects of each
// append) dies young: measured with commits of one row, 12 MB cost a tenth more processor time than 24, and 24 about as much as 48.
export const threadLimits = { maxYoungGenerationSizeMb: 16 } as const;
