// Parts that several readers read ahead: whatever they do and whoever takes the parts, the bounds hold, nobody waits for ever, and each
// reader's parts come in its order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/core/errors.js';
import { ReadAhead, type ReadAheadOptions, type Room } from '../../../../src/source/mysql/read-ahead.js';
import { Wakeup } from '../../../../src/source/mysql/wakeup.js';

interface Part {
  readonly reader: number;
  readonly n: number;
  readonly bytes: number;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function readAhead(options: Partial<ReadAheadOptions<Part>> = {}) {
  const released: Part[] = [];
  const wakeup = new Wakeup();
  const ahead = new ReadAhead<Part>({
    ahead: 2,
    wakeup,
    release: (part) => released.push(part),
    failure: (error) => new AppError('internal', (error as Error).message),
    ...options,
  });
  return { ahead, released, wakeup };
}

describe('parts that are read ahead', () => {
  it('stay within their number and their bytes, all together, and each reader is heard', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sizes, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(3), { maxLength: 60 }),
        async (readers, most, pauses) => {
          const bytesMax = 20;
          const aim = 10;
          let [parts, bytes] = [0, 0];
          const { ahead, wakeup } = readAhead({ ahead: most, bytesMax });
          for (const [reader, list] of readers.entries())
            ahead.begin(async () => {
              for (const [n, size] of list.entries()) {
                const room = await ahead.room(aim);
                parts++;
                // A reader may find more than it has asked for: that counts as soon as it is known.
                expect(parts).toBeLessThanOrEqual(most);
                if (parts > 1) expect(bytes + aim).toBeLessThanOrEqual(bytesMax);
                bytes += aim;
                await turn();
                bytes += size - aim;
                room.put({ reader, n, bytes: size }, size);
              }
            });
          const taken: Part[] = [];
          for (let i = 0; !ahead.done; i++) {
            const part = ahead.peek();
            if (part === undefined) {
              await wakeup.wait();
              continue;
            }
            for (let pause = pauses[i] ?? 0; pause > 0; pause--) await turn();
            taken.push(part);
            parts--;
            bytes -= part.bytes;
            expect(ahead.shift()).toBe(part);
          }
          for (const [reader, list] of readers.entries())
            expect(taken.filter((part) => part.reader === reader).map(({ n }) => n)).toEqual(list.map((_, n) => n));
          await ahead.close(() => {});
        },
      ),
      { numRuns: 200 },
    );
  });

  it('give back the room of one that did not come, or is not wanted', async () => {
    const { ahead, released } = readAhead({ ahead: 1 });
    const rooms: Room<Part>[] = [];
    ahead.begin(async () => {
      for (let n = 0; n < 3; n++) rooms.push(await ahead.room());
    });
    await turn();
    expect(rooms).toHaveLength(1);
    rooms[0]!.leave();
    rooms[0]!.leave();
    await turn();
    expect(rooms).toHaveLength(2);
    rooms[1]!.put({ reader: 0, n: 1, bytes: 5 }, 5);
    rooms[1]!.leave();
    await turn();
    expect(rooms).toHaveLength(2);
    ahead.drop(({ n }) => n === 1);
    await turn();
    expect(released).toEqual([{ reader: 0, n: 1, bytes: 5 }]);
    expect(rooms).toHaveLength(3);
    expect(ahead.peek()).toBeUndefined();
    await ahead.close(() => {});
  });

  it('admit one that alone is more than all may have', async () => {
    const { ahead } = readAhead({ bytesMax: 10 });
    ahead.begin(async () => {
      (await ahead.room(50)).put({ reader: 0, n: 0, bytes: 50 }, 50);
      (await ahead.room(1)).put({ reader: 0, n: 1, bytes: 1 }, 1);
    });
    await turn();
    expect(ahead.shift()?.n).toBe(0);
    await turn();
    expect(ahead.shift()?.n).toBe(1);
    await turn();
    expect(ahead.done).toBe(true);
  });

  it('are handed over before the failure of a reader is told, which ends the others', async () => {
    const { ahead } = readAhead({ ahead: 1 });
    let ended: unknown;
    ahead.begin(async () => {
      (await ahead.room()).put({ reader: 0, n: 0, bytes: 0 });
      try {
        await ahead.room();
      } catch (error) {
        ended = error;
        throw error;
      }
    });
    ahead.begin(() => Promise.reject(new Error('the first failure')));
    await turn();
    expect(ended).toMatchObject({ name: 'AbortError' });
    expect(ahead.shift()?.n).toBe(0);
    expect(() => ahead.peek()).toThrow('the first failure');
    expect(ahead.done).toBe(false);
    await ahead.close(() => {});
  });

  it('are let go of when it is closed, also by those that wait for room', async () => {
    const { ahead, released } = readAhead({ ahead: 1 });
    let interrupted = 0;
    let waited: unknown;
    ahead.begin(async () => {
      (await ahead.room()).put({ reader: 0, n: 0, bytes: 0 });
    });
    ahead.begin(async () => {
      await ahead.room().catch((error: unknown) => (waited = error));
    });
    await turn();
    await ahead.close(() => interrupted++);
    expect(waited).toMatchObject({ name: 'AbortError' });
    expect({ interrupted, released: released.length }).toEqual({ interrupted: 1, released: 1 });
    ahead.begin(() => expect.fail('nothing is read any more'));
  });
});
