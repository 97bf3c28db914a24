// How much room a worker thread's V8 has for new objects. Its own choice (48 MB) is meant for one heap a process; with four threads most
// of the memory of a process would be that. A third costs no measurable speed, because what we make for a row dies with the row.
export const threadLimits = { maxYoungGenerationSizeMb: 12 } as const;
