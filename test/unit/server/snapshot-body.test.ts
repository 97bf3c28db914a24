import { expect, it } from 'vitest';
import { snapshotRequests } from '../../../src/server/snapshot-body.js';

it.each([
  [{}, [{ tables: [] }]],
  [{ tables: ['a.b', 'c'], where: 'id > 3' }, [{ tables: ['a.b', 'c'], where: 'id > 3' }]],
  [{ 'data-collections': ['a.b'], type: 'incremental' }, [{ tables: ['a.b'] }]],
  [{ 'data-collections': ['a.b'], 'additional-condition': 'x = 1' }, [{ tables: ['a.b'], where: 'x = 1' }]],
  [
    {
      type: 'execute-snapshot',
      data: {
        'data-collections': ['a.b', 'a.c'],
        type: 'INCREMENTAL',
        'additional-conditions': [{ 'data-collection': 'a.c', filter: 'x = 1' }],
      },
    },
    [{ tables: ['a.b'] }, { tables: ['a.c'], where: 'x = 1' }],
  ],
  [
    { 'data-collections': ['a.c'], 'additional-conditions': [{ 'data-collection': 'a.c', filter: 'x = 1' }] },
    [{ tables: ['a.c'], where: 'x = 1' }],
  ],
])('%j asks for %j', (body, requests) => {
  expect(snapshotRequests(body)).toEqual(requests);
});

it.each([
  [{ tables: [7] }, /list of names/],
  [{ tables: ['a'], where: 7 }, /"where" must be text/],
  [{ type: 'blocking' }, /incremental/],
  [{ type: 'execute-snapshot' }, /"data" must be an object/],
  [{ 'additional-conditions': [{ 'data-collection': 'a' }] }, /"filter"/],
])('%j is refused', (body, why) => {
  expect(() => snapshotRequests(body)).toThrow(why);
});
