// A storm of statements against an engine in the test's thread, and what has to agree when it is over.
import { toAppError } from '../../src/core/errors.js';
import type { TestEngine } from './engine.js';
import type { StormAnswer, StormModel, StormTarget } from './harness/statement-storm.js';
import { stormNames } from './harness/statement-storm.js';
import { ownerless } from './ownerless.js';

export function engineTarget(engine: TestEngine): StormTarget {
  return {
    seq: () => engine.seq(),
    async run(sql): Promise<StormAnswer> {
      try {
        const [result] = await engine.run(sql);
        const seq = result && 'seq' in result ? result.seq : undefined;
        return { code: 'ok', seq, message: result && 'message' in result ? result.message : undefined };
      } catch (error) {
        return { code: toAppError(error).code };
      }
    },
  };
}

export interface Leftovers {
  readonly catalogue: readonly string[];
  readonly topics: readonly string[];
  /** Physical tables that no entry of the catalogue has, and states that no query has. */
  readonly ownerless: readonly string[];
}

export function expectedOf({ sources, topics }: StormModel): Leftovers {
  return { catalogue: [...sources.keys()].toSorted(), topics: [...topics].toSorted(), ownerless: [] };
}

/** Of the names of the storm; `prefix` begins the names of its topics. */
export async function leftovers(engine: TestEngine): Promise<Leftovers> {
  const results = await engine.run('SHOW STREAMS; SHOW TABLES;');
  const shown = results.flatMap((result) => (result.kind === 'sources' ? result.sources.map(({ name }) => name) : []));
  const topics = (await engine.api.topics()).map(({ name }) => name);
  return {
    catalogue: shown.filter((name) => stormNames.includes(name)).toSorted(),
    topics: topics.filter((name) => stormNames.includes(name)).toSorted(),
    ownerless: ownerless(`${engine.folder}/writethrough.db`),
  };
}
