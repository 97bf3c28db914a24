// Places for what may be done so many times at once.
import { describe, expect, it } from 'vitest';
import { Places } from '../../../src/threads/places.js';

const never = new AbortController().signal;

describe('places', () => {
  it('are given in order, are never more than there are, and a bounded number waits', async () => {
    const places = new Places(2, 'things are done');
    const leave = [await places.take(never), await places.take(never)];
    const order: number[] = [];
    const third = places.take(never).then((free) => (order.push(3), free));
    const gone = new AbortController();
    const fourth = places.take(gone.signal);
    await expect(places.take(never)).rejects.toMatchObject({ code: 'overloaded', retriable: true });
    gone.abort(new Error('gone'));
    await expect(fourth).rejects.toThrow('gone');
    const fifth = places.take(never).then((free) => (order.push(5), free));
    // Given back twice is given back once.
    leave[0]!();
    leave[0]!();
    const freeThird = await third;
    expect(order).toEqual([3]);
    freeThird();
    const freeFifth = await fifth;
    expect(order).toEqual([3, 5]);
    freeFifth();
    leave[1]!();
    await Promise.all([places.take(never), places.take(never)]);
    await expect(places.take(gone.signal)).rejects.toThrow('gone');
  });
});
