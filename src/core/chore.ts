// Upkeep that has to go on for ever, in bounded steps between the engine's commits. Whoever owns what grows says how far it is over its
// limit and takes it back a little; engine/housekeeping.ts decides when.
export interface Chore {
  /** As metrics name it. */
  readonly name: string;
  /**
   * How far over its limit, as a part of the limit: 0 nothing to do, 0.1 a tenth over. Asked after every few ms of commits, so it is a
   * comparison of numbers in memory, or nearly.
   */
  debt(nowMs: number): number;
  /** Some ms of work, in a transaction of its own; called between transactions while there is a debt. */
  step(nowMs: number): void;
}
