// A GTID position of MariaDB: per replication domain the last transaction, as server id and sequence number. Everything of the
// domain up to there is applied. Pure.
import { AppError } from '../../core/errors.js';
import { TransactionId } from '../../core/transaction-id.js';

export interface MariadbGtid {
  readonly domain: number;
  readonly server: number;
  readonly sequence: bigint;
}

export function printMariadbGtid({ domain, server, sequence }: MariadbGtid): string {
  return `${domain}-${server}-${sequence}`;
}

/** Of the id made last: nearly all transactions of a binlog are of one server. */
const lastHead = { domain: -1, server: -1, text: '' };

/** The same text, as the id of a transaction. */
export function idOfMariadbGtid(gtid: MariadbGtid): TransactionId {
  const { domain, server, sequence } = gtid;
  if (sequence > Number.MAX_SAFE_INTEGER) return new TransactionId(printMariadbGtid(gtid), -1);
  if (domain !== lastHead.domain || server !== lastHead.server)
    Object.assign(lastHead, { domain, server, text: `${domain}-${server}-` });
  return new TransactionId(lastHead.text, Number(sequence));
}

/** Reads `0-1-123`. */
export function parseMariadbGtid(text: string): MariadbGtid {
  const match = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/.exec(text);
  if (!match) {
    throw new AppError('bad-connector-config', `"${text.slice(0, 120)}" is not a GTID position of MariaDB`, {
      hint: 'it looks like 0-1-1234',
    });
  }
  return { domain: Number(match[1]), server: Number(match[2]), sequence: BigInt(match[3]!) };
}

export class MariadbPosition {
  readonly #domains = new Map<number, MariadbGtid>();
  #text: string | undefined = '';

  /** Reads `0-1-123,1-2-3`. */
  static parse(text: string): MariadbPosition {
    const position = new MariadbPosition();
    for (const part of text.replaceAll(/\s/g, '').split(',')) {
      if (part !== '') position.add(parseMariadbGtid(part));
    }
    return position;
  }

  /** The last transaction of a domain wins, even with a lower number: without gtid_strict_mode numbers may run backwards. */
  add(gtid: MariadbGtid): void {
    const known = this.#domains.has(gtid.domain);
    this.#domains.set(gtid.domain, gtid);
    this.#text = undefined;
    if (known) return;
    const sorted = [...this.#domains].toSorted(([a], [b]) => a - b);
    this.#domains.clear();
    for (const [domain, value] of sorted) this.#domains.set(domain, value);
  }

  /** The last transaction of a domain, as text; empty: there is none. */
  lastOf(domain: number): string {
    const last = this.#domains.get(domain);
    return last === undefined ? '' : printMariadbGtid(last);
  }

  has(gtid: MariadbGtid): boolean {
    const last = this.#domains.get(gtid.domain);
    return last !== undefined && last.sequence >= gtid.sequence;
  }

  /** True when every domain of `other` is at or behind ours. */
  contains(other: MariadbPosition): boolean {
    for (const gtid of other.#domains.values()) {
      if (!this.has(gtid)) return false;
    }
    return true;
  }

  get empty(): boolean {
    return this.#domains.size === 0;
  }

  toString(): string {
    this.#text ??= [...this.#domains.values()].map(printMariadbGtid).join(',');
    return this.#text;
  }
}
