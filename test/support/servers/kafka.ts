// Kafka 4 for tests: one KRaft node that is broker and controller, with as little memory as it starts in.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { freePort, run } from './command.js';
import { createProcessControl, type ServerControl } from './control.js';
import { createContainerControl, dockerAvailable } from './docker.js';
import { canFetchKafkaJars, ensureKafkaJars, kafkaCommand } from './kafka-jars.js';

/** Where brokers are; may be those that the environment names. */
export interface KafkaAddress {
  readonly brokers: readonly string[];
  /** Of the jars or the image; undefined for brokers of the environment, which do not tell. */
  readonly version: string | undefined;
}

export interface KafkaServer extends KafkaAddress {
  readonly pid: number | undefined;
  /** Undefined for a container. */
  readonly dataDir: string | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Stop and remove everything. Called or not, nothing outlives the process that started the server. */
  close(): Promise<void>;
}

export interface KafkaOptions {
  /**
   * Broker settings over ours. After a SIGKILL the controller turns the broker away until its old session is over, 9 s;
   * a test that kills often may say `{ 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' }`.
   */
  config?: Readonly<Record<string, string>>;
  heap?: string;
  guarded?: boolean;
  /** Compiled with all effort, as in production; for who measures. */
  optimised?: boolean;
}

const CLUSTER_ID = 'dGVzdC1vbmUtbm9kZS1hYQ';
const IMAGE = 'apache/kafka:4.1.0';

/** Makes sure that `startKafka` has what it needs; rejects with `ServerUnavailable`. */
export async function ensureKafka(): Promise<void> {
  if ((await canFetchKafkaJars()) || !(await dockerAvailable())) await ensureKafkaJars();
}

export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  // Jars first: 55 MB against an image of hundreds, and the console consumer is among them.
  const inContainer = !(await canFetchKafkaJars()) && (await dockerAvailable());
  for (let attempt = 1; ; attempt++) {
    try {
      return await (inContainer ? startContainer(options) : startProcess(options));
    } catch (error) {
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

/** Brokers that the environment names, as `host:port,host:port`; rejects when they do not answer. */
export async function kafkaAddressFromList(list: string): Promise<KafkaAddress> {
  const brokers = list.split(',').map((broker) => broker.trim());
  await answers(brokers);
  return { brokers, version: undefined };
}

async function startProcess(options: KafkaOptions): Promise<KafkaServer> {
  const { version } = await ensureKafkaJars();
  const [port, controllerPort] = [await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-kafka-'));
  const dataDir = join(dir, 'data');
  const properties = join(dir, 'server.properties');
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`;
  const settings = { ...oneNode(controllerPort), listeners, 'log.dirs': dataDir, ...options.config };
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const [file = 'java', ...args] = await kafkaCommand('kafka.Kafka', [properties], {
    heap: options.heap ?? '512m',
    optimised: options.optimised ?? false,
  });
  const control = createProcessControl({
    name: 'kafka',
    file,
    args: () => args,
    dir,
    logPath: join(dir, 'server.log'),
    ready: () => answers([`127.0.0.1:${port}`]),
    guarded: options.guarded ?? true,
  });
  const [java = 'java', ...format] = await kafkaCommand('kafka.tools.StorageTool', [
    'format',
    '-t',
    CLUSTER_ID,
    '-c',
    properties,
  ]);
  await run(java, format);
  return started(control, port, version, dataDir);
}

async function startContainer(options: KafkaOptions): Promise<KafkaServer> {
  const port = await freePort();
  const settings = {
    ...oneNode(9093),
    listeners: `PLAINTEXT://:${port},CONTROLLER://:9093`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ...options.config,
  };
  const env = Object.entries(settings).map(([key, value]) => {
    return [`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`, value] as const;
  });
  const control = createContainerControl({
    name: 'kafka',
    image: IMAGE,
    ports: { [port]: port },
    env: { ...Object.fromEntries(env), CLUSTER_ID },
    args: [],
    ready: () => answers([`127.0.0.1:${port}`]),
    guarded: options.guarded ?? true,
  });
  return started(control, port, IMAGE.split(':')[1] ?? '', undefined);
}

async function started(
  control: ServerControl,
  port: number,
  version: string,
  dataDir: string | undefined,
): Promise<KafkaServer> {
  try {
    await control.start();
  } catch (error) {
    await control.close();
    throw error;
  }
  return {
    brokers: [`127.0.0.1:${port}`],
    version,
    dataDir,
    get pid() {
      return control.pid;
    },
    start: () => control.start(),
    stop: () => control.stop(),
    kill: () => control.kill(),
    restart: async () => {
      await control.stop();
      await control.start();
    },
    close: () => control.close(),
  };
}

/** One node for everything: internal topics with one replica and one partition, groups that start without a pause. */
function oneNode(controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '33554432',
  };
}

/** The broker takes connections a little before it has joined its own cluster, so ask it for the cluster. */
async function answers(brokers: string[]): Promise<void> {
  const admin = new Kafka({
    clientId: 'server-check',
    brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 5000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error('the broker has not joined its cluster yet');
  } finally {
    await admin.disconnect();
  }
}
