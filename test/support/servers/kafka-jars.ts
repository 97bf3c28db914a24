// Kafka's own jars: those of an installed Kafka, or fetched once by Maven into the test cache. Its console consumer and
// the other tools come along, so they are at hand for a broker that somebody else runs, too.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cached, cachePath, contentKey } from './cache.js';
import { probe, run, which } from './command.js';
import { isDebian } from './deb-tree.js';
import { installing, ServerUnavailable } from './unavailable.js';

export interface KafkaJars {
  /** What goes on the class path. */
  readonly lib: string;
  readonly version: string;
}

const VERSION = '4.3.1';

const ADVICE = 'Kafka 4: no server; set TEST_KAFKA_BROKERS, or Java 17 and Maven, or docker, or apt';

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
`;

const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
`;

let jars: Promise<KafkaJars> | undefined;

export function ensureKafkaJars(): Promise<KafkaJars> {
  jars ??= installing(ADVICE, find());
  return jars;
}

/** Whether `ensureKafkaJars` can succeed without a change of the system. */
export async function canFetchKafkaJars(): Promise<boolean> {
  return (await javaIsThere()) && (existsSync(cachePath(cacheName())) || which('mvn') !== undefined);
}

/**
 * Command line of a class of Kafka. Tools live for seconds, brokers of tests for minutes: the quick compiler alone starts them in half the
 * time, and what the other one would spend on them is not earned back. `optimised` for who measures.
 */
export async function kafkaCommand(
  className: string,
  args: readonly string[],
  options: { heap?: string; optimised?: boolean } = {},
): Promise<string[]> {
  const { lib } = await ensureKafkaJars();
  const quick = options.optimised === true ? [] : ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  const logging = await cached(`kafka-logging-${contentKey(LOGGING)}`, (dir) => {
    writeFileSync(join(dir, 'log4j2.properties'), LOGGING);
    return Promise.resolve();
  });
  const config = `-Dlog4j2.configurationFile=${join(logging, 'log4j2.properties')}`;
  return ['java', `-Xmx${options.heap ?? '256m'}`, ...quick, config, '-cp', join(lib, '*'), className, ...args];
}

/** Runs one of Kafka's tools, such as `org.apache.kafka.tools.FeatureCommand`, and gives what it printed. */
export async function kafkaTool(className: string, args: readonly string[], timeoutMs = 120_000): Promise<string> {
  const [file = 'java', ...rest] = await kafkaCommand(className, args);
  return run(file, rest, { timeoutMs });
}

async function find(): Promise<KafkaJars> {
  if (!(await javaIsThere()) || (which('mvn') === undefined && !existsSync(cachePath(cacheName()))))
    await installJava();
  const own = await installedKafka();
  if (own !== undefined) return own;
  const dir = await cached(cacheName(), async (folder) => {
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, POM);
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`];
    // -U: else Maven remembers for a day that a repository did not answer.
    await run('mvn', ['-B', '-q', '-U', '-f', pom, ...copy]);
    rmSync(pom);
  });
  return { lib: join(dir, 'lib'), version: VERSION };
}

function cacheName(): string {
  return `kafka-${VERSION}-${contentKey(POM)}`;
}

async function javaIsThere(): Promise<boolean> {
  // The version goes to the error output, so a success is all that can be asked for here.
  const text = await probe('sh', ['-c', 'java -version 2>&1']);
  return Number(/version "(\d+)/.exec(text ?? '')?.[1]) >= 17;
}

/** A Kafka 4 of the machine, as the name of its jar says; its scripts differ from one packaging to the next. */
async function installedKafka(): Promise<KafkaJars | undefined> {
  const script = which('kafka-server-start.sh', [join(process.env['KAFKA_HOME'] ?? '/opt/kafka', 'bin')]);
  if (script === undefined) return undefined;
  const version = /^(4\.[\w.]+)/.exec((await probe(script, ['--version'])) ?? '')?.[1];
  const lib = join(dirname(dirname(script)), 'libs');
  const complete = version !== undefined && existsSync(lib) && readdirSync(lib).includes(`kafka-tools-${version}.jar`);
  return complete ? { lib, version } : undefined;
}

/** The one change of the system: a Java cannot be run from a tree of packages, since it looks for itself in /proc. */
async function installJava(): Promise<void> {
  if (!isDebian() || process.getuid?.() !== 0) {
    throw new ServerUnavailable(ADVICE);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', '-y', '--no-install-recommends', 'install', 'default-jre-headless', 'maven'], { env });
}
