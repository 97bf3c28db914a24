// The appends of a commit read back as they were, whatever their texts have in common; those of the first format do, too.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteWriter } from '../../../src/core/bytes.js';
import { TransactionId } from '../../../src/core/transaction-id.js';
import {
  CommitBuilder,
  commitIdentity,
  decodeCommit,
  type CommitAppend,
} from '../../../src/stream/embedded/commit-codec.js';

const part = { topicId: 3, partition: 1, baseOffset: 2 ** 40 };

/** Mostly alike, as those of neighbours are; characters of several bytes at any place. */
const text = fc.oneof(
  fc.nat().map((n) => `{"kind":"mysql-gtid","gtids":"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-${n}"}`),
  fc.string({ unit: fc.constantFrom('a', 'ä', '漢', '😀', '😁'), maxLength: 12 }),
);

/** Ids of few heads, counted on or not, and any text. */
const id = fc.oneof(
  text,
  fc.tuple(fc.constantFrom('', 'a:', 'a:1', 'ä-', '😀'), fc.nat({ max: 120 })).map(([head, n]) => `${head}${n}`),
);

const appends: fc.Arbitrary<CommitAppend[]> = fc.array(
  fc.record({
    producer: fc.constantFrom('one', 'other'),
    position: fc.option(text),
    transactionId: fc.option(id, { nil: undefined }),
    commitTimeUs: fc.maxSafeInteger(),
    control: fc.constant(undefined),
    runs: fc.array(fc.nat(), { maxLength: 3 }).map((counts) => counts.flatMap((count) => [0, count])),
  }),
  { maxLength: 20 },
);

it('gives back what went in', () => {
  const builder = new CommitBuilder();
  const runs = new ByteWriter(16);
  fc.assert(
    fc.property(appends, (list) => {
      builder.start();
      for (const append of list) {
        runs.reset();
        for (const number of append.runs) runs.varint(number);
        const { transactionId } = append;
        const transaction = transactionId === undefined ? undefined : TransactionId.of(transactionId);
        builder.append({ ...append, transaction }, append.position, runs, append.runs.length / 2);
      }
      const facts = { firstSeq: 3, lastSeq: 9, control: 0 };
      const blob = builder.finish([part], commitIdentity(facts));
      expect(decodeCommit({ ...facts, appends: blob })).toEqual({ parts: [part], appends: list, sealed: true });
    }),
  );
});

it('reads the first format, in which texts stood whole', () => {
  const to = new ByteWriter(64);
  to.u8(1);
  for (const number of [1, part.topicId, part.partition, part.baseOffset, 1]) to.varint(number);
  to.string('one');
  to.varint(2);
  for (const position of ['at 1', 'at 2']) {
    to.varint(0);
    to.u8(3);
    to.string(position);
    to.string(`id of ${position}`);
    to.signed(7);
    to.varint(1);
    to.varint(0);
    to.varint(5);
  }
  const { appends: read } = decodeCommit({
    firstSeq: 1,
    lastSeq: 2,
    control: 0,
    appends: Buffer.from(to.written()),
  });
  expect(read.map(({ position, transactionId, runs }) => [position, transactionId, runs])).toEqual([
    ['at 1', 'id of at 1', [0, 5]],
    ['at 2', 'id of at 2', [0, 5]],
  ]);
});
