// The tests in three projects: `unit` and `simulation` need no server and take a minute and a half on two cores; `integration` holds
// everything that starts processes or talks to real servers, which its global set-up provides.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest files, which would else be begun last (they are not the largest) and be waited for alone. */
const longest = [
  'kafka-cells',
  'failpoints',
  'mysql-emptied-tables',
  'source-identity',
  'mysql-cascades',
  'followers',
  'server-restarts',
  'bank',
  'embedded-cells',
  'mysql-server-states',
  'kafka-log',
  'freshness',
  'kafka-sinks',
];

/** Files of one worker share what they have loaded: none of them changes a module, and the unit tests take 84 s instead of 123. */
const isolate = false;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: [
            'test/unit/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'test/property/**/*.test.ts',
            'test/tidy.test.ts',
          ],
          testTimeout: 20_000,
          isolate,
          // Vitest leaves one core free, which on a machine of two is half of it.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          // It takes over clocks and timers: what another file has left running in the same worker would look at them, too.
          name: 'simulation',
          sequence: { groupOrder: 0 },
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 20_000,
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['test/contract/**/*.test.ts', 'test/crash/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/servers/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          isolate,
          // They mostly wait: for servers, for processes that start, for a load to end.
          maxWorkers: 3,
        },
      },
    ],
  },
});
