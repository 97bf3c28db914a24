// FLOAT is kept as the double whose text is the shortest that reads back as the same 32-bit value: 1.1, not 1.100000023841858.
// Both readers begin from the exact 32-bit value, so both end at the same double.

/** The double nearest to the shortest decimal text of a 32-bit float. */
export function shortestFloat(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 16_777_216) return value;
  // Six digits survive a 32-bit float, so no shorter text can be missed by beginning there; subnormals hold fewer.
  for (let digits = Math.abs(value) < 1.2e-38 ? 1 : 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
