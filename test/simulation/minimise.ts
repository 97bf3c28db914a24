// The smallest run of a seed that still goes wrong: without the actors that it does not need, and with as few steps as possible. Leaving
// an actor out changes what the dice say to the others, so this looks for any breach, not for the same one.
import { actorKinds, type ActorKind } from './chances.js';
import { simulate, type SimulationOptions, type SimulationResult } from './simulation.js';

export interface Minimised {
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
}

export async function minimise(options: SimulationOptions): Promise<Minimised> {
  let best: Minimised = { options, result: await simulate(options) };
  const tryOut = async (candidate: SimulationOptions): Promise<boolean> => {
    const result = await simulate(candidate);
    if (result.breaches.length === 0) return false;
    best = { options: candidate, result };
    return true;
  };
  for (const kind of actorKinds) await tryOut({ ...best.options, without: [...without(best.options), kind] });
  for (let cut = best.options.steps >> 1; cut >= 5;) {
    const steps = best.options.steps - cut;
    if (steps <= 0 || !(await tryOut({ ...best.options, steps }))) cut >>= 1;
  }
  return best;
}

const without = (options: SimulationOptions): readonly ActorKind[] => options.without ?? [];

/** For people: how to run it again, what went wrong, and the way there. */
export function report({ options, result }: Minimised, lines = 80): string {
  const left = options.without?.length ? `, without ${options.without.join(', ')}` : '';
  return [
    `seed ${options.seed} (${options.log ?? 'embedded'}), ${options.steps} steps${left} (hash ${result.hash}):`,
    ...result.breaches.map((breach) => `  ${breach.slice(0, 2000)}`),
    'history:',
    ...result.history.slice(-lines).map((line) => `  ${line.slice(0, 300)}`),
  ].join('\n');
}
