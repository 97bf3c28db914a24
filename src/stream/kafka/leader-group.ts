// Who of the processes on one log leads, by Kafka's group membership: the group `<service.id>-leader` has one thing to assign, and who
// has it leads. The broker decides who lives (session time-out, heartbeats); nothing of it is written by hand.
// - Members are static (group.instance.id, one per data folder, which has a lock of its own): a process that was killed and starts again
//   takes its own place at once instead of waiting for its dead self to be given up; a copied folder gets another id.
// - A leader that does not reach the brokers goes on leading until the group says otherwise: while the brokers are away nobody else can
//   be made leader, and what it writes is fenced by the transactional ids of its successor in any case. So membership only keeps two
//   from trying; that nothing is written twice does not hang on it.
// - Who joins, or was given up meanwhile and comes back, does not take the lead from who has it (leader-claim.ts).
import { delay, isAbort, untilAborted } from '../../core/backoff.js';
import { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { AdminClient } from './admin-client.js';
import { BrokerLink } from './broker-link.js';
import { heartbeatRequest, joinGroupRequest, leaveGroupRequest, syncGroupRequest } from './group-requests.js';
import type { JoinedGroup } from './group-requests.js';
import { errorType, isRetriable, toLogError } from './kafka-errors.js';
import type { KafkaJsBroker } from './kafkajs-inside.js';
import type { KafkaAddress } from './kafka-url.js';
import {
  electLeader,
  parseMember,
  printClaim,
  printLeader,
  type Claim,
  type ClaimKind,
  type Leader,
} from './leader-claim.js';
import { commitTopicName, createCommitTopic } from './log-header.js';
import { Outage } from './retrying.js';

export interface LeaderGroupOptions extends KafkaAddress {
  readonly clientId?: string | undefined;
  readonly serviceId: string;
  /** Names the data folder among all of the service. */
  readonly instance: string;
  /** Where the others send what only the leader may do. */
  readonly url: string;
  /** False: it only follows. */
  readonly candidate: boolean;
  readonly logger: Logger;
  readonly onChange: (leader: Leader | null) => void;
  /** It can be no member: another process goes by its name, or the brokers refuse it. */
  readonly onFailed: (error: AppError) => void;
  readonly sessionMs?: number | undefined;
  readonly heartbeatMs?: number | undefined;
}

/** Brokers take 6 s and more (group.min.session.timeout.ms); a dead leader is replaced within about so long. */
const sessionMsDefault = 6_000;
const heartbeatMsDefault = 500;
const leaveMs = 1_000;
const defaultClientId = 'writethrough';

export class LeaderGroup {
  readonly #options: LeaderGroupOptions;
  readonly #groupId: string;
  readonly #link: BrokerLink;
  readonly #admin: AdminClient;
  readonly #stop = new AbortController();
  readonly #outage: Outage;
  readonly #startedMs = Date.now();
  #memberId = '';
  #found = false;
  #broker: KafkaJsBroker | undefined;
  /** Undefined: it has to join (again). */
  #generation: number | undefined;
  #leader: Leader | null | undefined;
  #claim: ClaimKind = 'none';
  #wake: (() => void) | undefined;
  /** Who wait for the broker's word: on a question that is still to be asked, and on the one under way. */
  #waiting: (() => void)[] = [];
  #asked: (() => void)[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: LeaderGroupOptions) {
    this.#options = options;
    const { serviceId, brokers, ssl, sasl, deadlines, logger, clientId = defaultClientId } = options;
    this.#groupId = `${serviceId}-leader`;
    this.#link = new BrokerLink({
      brokers,
      ssl,
      sasl,
      deadlines,
      logger,
      clientId,
      knownTopic: commitTopicName(serviceId),
    });
    this.#admin = new AdminClient({ ...options, clientId });
    this.#outage = new Outage('membership of the service', logger);
  }

  /** Undefined before the group has decided for the first time; null: nobody that is there may lead. */
  get leader(): Leader | null | undefined {
    return this.#leader;
  }

  get leads(): boolean {
    return this.#leader?.instance === this.#options.instance;
  }

  start(): void {
    this.#running = this.#run()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#options.onFailed(toLogError(error, `group "${this.#groupId}"`));
      })
      .finally(() => {
        this.#ask();
        this.#tell();
      });
  }

  /** Asks the broker now; resolves when what it says is known, or nothing more comes. For who has been fenced and wonders. */
  async check(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#wake?.();
    await heard;
  }

  /** The others hear of it at once. */
  async leave(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    const leaving = async () => {
      if (this.#memberId === '') return;
      const broker = this.#broker ?? (await this.#link.groupCoordinator(this.#groupId));
      await this.#link.send(broker, leaveGroupRequest(this.#identity));
    };
    const late = new AbortController();
    await Promise.race([
      leaving().catch((error: unknown) => {
        this.#options.logger.debug('leaving the group', { group: this.#groupId, cause: String(error) });
      }),
      delay(leaveMs, late.signal).catch(() => {}),
    ]);
    late.abort();
    this.#link.close();
    this.#admin.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!this.#found) await this.#find();
        if (this.#generation === undefined) {
          this.#ask();
          await this.#join();
        }
        if (this.#generation === undefined) continue;
        this.#outage.over();
        this.#tell();
        await this.#pause();
        if (signal.aborted) return;
        this.#broker ??= await this.#link.groupCoordinator(this.#groupId);
        this.#ask();
        await this.#link.send(this.#broker, heartbeatRequest(this.#identity, this.#generation));
      } catch (error) {
        if (signal.aborted) return;
        await this.#treat(error);
      }
    }
  }

  /** kafkajs wants to know one topic that is there. Who may lead would make this one next. */
  async #find(): Promise<void> {
    const { serviceId, candidate } = this.#options;
    if (candidate) await untilAborted(this.#stop.signal, createCommitTopic(this.#admin, serviceId));
    this.#found = true;
  }

  /** What is sent from now on answers all who wait: an answer that was on its way may be as old as this process has slept. */
  #ask(): void {
    this.#asked.push(...this.#waiting);
    this.#waiting = [];
  }

  #tell(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const resolve of asked) resolve();
  }

  /** Until the next heartbeat is due, or somebody asks. */
  #pause(): Promise<void> {
    if (this.#waiting.length > 0 || this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.heartbeatMs ?? heartbeatMsDefault);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #treat(error: unknown): Promise<void> {
    switch (errorType(error)) {
      case 'REBALANCE_IN_PROGRESS':
      case 'ILLEGAL_GENERATION':
        this.#generation = undefined;
        return;
      case 'UNKNOWN_MEMBER_ID':
        // Given up: another may lead by now.
        this.#generation = undefined;
        this.#memberId = '';
        if (this.#claim === 'leads') this.#claim = 'led';
        return;
      case 'FENCED_INSTANCE_ID':
        throw new AppError('service-in-use', 'another process has taken the place of this one in its group', {
          detail: `both are ${this.#options.instance}`,
          hint: 'give each process a data folder of its own; one that was copied must lose its file `instance`',
        });
      default:
        this.#broker = undefined;
        if (isAbort(error) || !isRetriable(error)) throw error;
        await this.#outage.wait(error, this.#stop.signal);
    }
  }

  async #join(): Promise<void> {
    const { sessionMs = sessionMsDefault, instance, url } = this.#options;
    this.#broker = await this.#link.groupCoordinator(this.#groupId);
    const timeouts = { sessionMs, rebalanceMs: sessionMs };
    const joined = await this.#link.send(
      this.#broker,
      joinGroupRequest(this.#identity, timeouts, printClaim(this.#own())),
    );
    this.#memberId = joined.memberId;
    const answer = await this.#link.send(
      this.#broker,
      syncGroupRequest(this.#identity, joined.generation, this.#assignments(joined)),
    );
    // Nothing was assigned in this generation.
    if (answer.length === 0) return;
    const leader = parseMember<Leader | null>(answer, this.#groupId);
    const leads = leader?.instance === instance;
    this.#claim = leads ? 'leads' : 'none';
    // Its place is that of its earlier life, which may have had another address: the others have to hear of it.
    if (!leads || leader.url === url) this.#generation = joined.generation;
    const earlier = this.#leader;
    this.#leader = leads ? { instance, url } : leader;
    if (earlier === undefined || earlier?.instance !== leader?.instance || earlier?.url !== this.#leader?.url)
      this.#options.onChange(this.#leader);
  }

  #assignments({ memberId, assigner, members }: JoinedGroup) {
    if (memberId !== assigner) return [];
    const claims = members.map(({ metadata }) => parseMember<Claim>(metadata, this.#groupId));
    const assignment = printLeader(electLeader(claims));
    return members.map((member) => ({ memberId: member.memberId, assignment }));
  }

  #own(): Claim {
    const { instance, url, candidate } = this.#options;
    return { instance, url, candidate, claim: this.#claim, startedMs: this.#startedMs };
  }

  get #identity() {
    return { groupId: this.#groupId, memberId: this.#memberId, instanceId: this.#options.instance };
  }
}
