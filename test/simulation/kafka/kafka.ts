// The simulated Kafka as a world has it: the broker, the network to it, and how often either fails.
import type { Dice } from '../../support/harness/dice.js';
import type { VirtualLoop } from '../virtual-loop.js';
import { SimulatedBroker } from './broker.js';
import { checkSentOnce } from './sent-once.js';
import { plantKafka, type SimulatedNetwork } from './client.js';

export class SimulatedKafka {
  readonly #network: SimulatedNetwork;

  constructor(loop: VirtualLoop, dice: Dice, failures: number) {
    const broker = new SimulatedBroker(loop, dice.fork('broker'));
    this.#network = { loop, broker, dice: dice.fork('network'), breaks: failures, refuses: failures };
  }

  get isQuiet(): boolean {
    return this.#network.broker.isQuiet;
  }

  /** Nothing fails any more. */
  calm(): void {
    this.#network.breaks = 0;
    this.#network.refuses = 0;
  }

  /** At rest. */
  check(serviceId: string, breach: (text: string) => void): void {
    const commits = this.#network.broker.topic(`${serviceId}_commits`);
    if (commits) checkSentOnce(commits.partitions[0]!, breach);
  }

  plant(): () => void {
    return plantKafka(this.#network);
  }
}
