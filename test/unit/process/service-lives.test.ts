import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import type { EngineRole } from '../../../src/engine/engine-api.js';
import type { EngineLife } from '../../../src/process/engine-life.js';
import { ServiceLives } from '../../../src/process/service-lives.js';

/** A process whose group says what the test says; `fence` is what another producer under its name does to its engine. */
async function startLives(group: { role: EngineRole; afterCheck?: EngineRole; silent?: boolean }) {
  const begun: EngineRole[] = [];
  const failures: string[] = [];
  let fence: () => void = () => {};
  const lives = new ServiceLives({
    begin: async (role, onFailed) => {
      begun.push(role);
      fence = () => onFailed(new AppError('producer-fenced', 'another process writes under this name'));
      return { role, rest: async () => {}, close: async () => {} } as unknown as EngineLife;
    },
    work: async () => {},
    role: () => group.role,
    check: async () => {
      if (group.silent === true) await new Promise(() => {});
      group.role = group.afterCheck ?? group.role;
    },
    onFailed: ({ code }) => failures.push(code),
    logger: silentLogger,
  });
  await lives.begin();
  await lives.work();
  /** Lets the turns come to rest. */
  const settled = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return {
    lives,
    begun,
    failures,
    fence: async () => {
      fence();
      await settled();
    },
    decide: async (role: EngineRole) => {
      group.role = role;
      lives.follow();
      await settled();
    },
  };
}

describe('the lives of a process', () => {
  it('follow another leader after each sleep, however soon the next one comes', async () => {
    const group: { role: EngineRole; afterCheck?: EngineRole } = { role: 'leader', afterCheck: 'follower' };
    const { begun, failures, fence, decide } = await startLives(group);
    for (let sleep = 0; sleep < 3; sleep++) {
      await fence();
      await decide('leader');
    }
    expect(begun).toEqual(['leader', 'follower', 'leader', 'follower', 'leader', 'follower', 'leader']);
    expect(failures).toEqual([]);
  });

  it('end while the group does not say who leads', async () => {
    const { lives, begun, failures, fence } = await startLives({ role: 'leader', silent: true });
    await fence();
    await lives.close();
    expect(begun).toEqual(['leader']);
    expect(failures).toEqual([]);
  });

  it('end when another writes under their name again although the group says that this process leads', async () => {
    const { begun, failures, fence } = await startLives({ role: 'leader' });
    await fence();
    expect(begun).toEqual(['leader', 'leader']);
    expect(failures).toEqual([]);
    await fence();
    expect(failures).toEqual(['producer-fenced']);
  });
});
