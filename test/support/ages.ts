// Ages for tests that are not about them: every table is current.
import { noAge } from '../../src/core/freshness.js';
import type { Ages } from '../../src/query/freshness.js';

export const alwaysCurrent: Ages = { ofTable: () => noAge, worst: () => noAge, ofHidden: () => undefined };
