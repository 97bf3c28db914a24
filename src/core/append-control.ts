// What an append can say besides its records. It is part of the sequence, so every process that follows the log acts on it
// at the same seq.

export type AppendControl =
  /** The tables of this first snapshot are complete and become visible together with this append. */
  | { readonly kind: 'snapshot-completed'; readonly connector: string; readonly topics: readonly string[] }
  /** The new version of a rebuilt table takes the place of the old one. */
  | { readonly kind: 'rebuild-swapped'; readonly table: string; readonly version: number }
  /** A connector is to run, or to stand still, as its document says (JSON; secrets as they were given). */
  | { readonly kind: 'connector-put'; readonly name: string; readonly document: string }
  | { readonly kind: 'connector-removed'; readonly name: string };
