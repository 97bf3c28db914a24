// A transaction's id in two parts: a beginning that many have, and the number behind it. Ids come by the thousand in a second, and nearly all
// of them are only counted on; who needs no text pays for none.

export class TransactionId {
  readonly head: string;
  /** A safe integer; -1: nothing is behind the head. */
  readonly number: number;

  constructor(head: string, number: number) {
    this.head = head;
    this.number = number;
  }

  /** Of any text. */
  static of(text: string): TransactionId {
    // As it would be printed, and exact.
    const digits = /(?:0|[1-9]\d{0,14})$/.exec(text);
    return digits === null
      ? new TransactionId(text, -1)
      : new TransactionId(text.slice(0, digits.index), Number(digits[0]));
  }

  get text(): string {
    return this.head + this.digits;
  }

  /** The number's text. */
  get digits(): string {
    return this.number < 0 ? '' : String(this.number);
  }
}
