// Settings of the server that do not stop capture and are worth knowing: what a crash of it may take back, what makes it give the binlog
// up early, and what it hands out to sessions. Ours set what they rely on, so of those only what they cannot set is a risk.
import { systemClock } from '../../core/clock.js';
import type { SourceFinding } from '../source-connector.js';
import type { Session } from './connection.js';
import { askClock, isAtLeast, type Server } from './server.js';

interface Rule {
  readonly name: string;
  /** What the value stands for, where it is worth a word. */
  readonly found: (value: string) => boolean;
  readonly severity: 'warning' | 'note';
  readonly code: string;
  readonly why: string;
  readonly repair: string;
}

const is =
  (...values: readonly string[]) =>
  (value: string) =>
    values.includes(value.toUpperCase());
const isNot = (wanted: string) => (value: string) => value.toUpperCase() !== wanted;
const isSet = (value: string) => Number(value) > 0;

/** An application's sessions have it, and ours set their own. */
const handedOut = (name: string, found: (value: string) => boolean, usual: string): Rule => ({
  name,
  found,
  severity: 'note',
  code: 'session-default',
  why: 'every session begins with it; those of this connector set their own, those of applications have it',
  repair: `SET GLOBAL ${name} = ${usual}`,
});

const rules: readonly Rule[] = [
  {
    name: 'sync_binlog',
    found: isNot('1'),
    severity: 'warning',
    code: 'not-crash-safe',
    why: 'a crash of its machine may take back transactions that were read already (source-rewound)',
    repair: 'SET GLOBAL sync_binlog = 1',
  },
  {
    name: 'innodb_flush_log_at_trx_commit',
    found: isNot('1'),
    severity: 'warning',
    code: 'not-crash-safe',
    why: 'a crash of it may take back transactions that were read already (source-rewound)',
    repair: 'SET GLOBAL innodb_flush_log_at_trx_commit = 1',
  },
  {
    name: 'binlog_checksum',
    found: is('NONE'),
    severity: 'warning',
    code: 'no-checksum',
    why: 'a damaged event cannot be told from a sound one',
    repair: 'SET GLOBAL binlog_checksum = CRC32',
  },
  {
    name: 'max_binlog_total_size',
    found: isSet,
    severity: 'warning',
    code: 'binlog-size-limit',
    why: 'the binlog is given up by its size, whether it was read or not: a burst of writes loses the position',
    repair: 'SET GLOBAL max_binlog_total_size = 0',
  },
  {
    name: 'init_connect',
    found: (value) => value.trim() !== '',
    severity: 'warning',
    code: 'init-connect',
    why: "it runs in each new session of users without an administrator's rights; where it fails, the session ends",
    repair: "SET GLOBAL init_connect = ''",
  },
  {
    name: 'offline_mode',
    found: is('ON'),
    severity: 'warning',
    code: 'offline-mode',
    why: "sessions of users without an administrator's rights are ended",
    repair: 'SET GLOBAL offline_mode = OFF',
  },
  handedOut('autocommit', is('OFF', '0'), 'ON'),
  handedOut('transaction_isolation', is('READ-UNCOMMITTED'), "'REPEATABLE-READ'"),
  handedOut('tx_isolation', is('READ-UNCOMMITTED'), "'REPEATABLE-READ'"),
  handedOut('completion_type', isNot('NO_CHAIN'), 'NO_CHAIN'),
  handedOut('sql_select_limit', (value) => BigInt(value) < 0xffff_ffffn, '18446744073709551615'),
  handedOut('max_execution_time', isSet, '0'),
  handedOut('max_statement_time', isSet, '0'),
  handedOut('idle_transaction_timeout', isSet, '0'),
];

/** Between its clock and ours. */
const skewSeconds = 5;

export async function adviseOnSettings(session: Session, server: Server): Promise<SourceFinding[]> {
  const names = [...rules.map(({ name }) => name), 'time_zone', 'system_time_zone'];
  const rows = await session.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map((name) => `'${name}'`).join(', ')})`,
  );
  const values = new Map(rows.map((row) => [row['Variable_name']!, row['Value'] ?? '']));
  const findings = rules.flatMap(({ name, found, severity, code, why, repair }): SourceFinding[] => {
    const value = values.get(name);
    if (value === undefined || !found(value)) return [];
    return [{ severity, code, object: name, message: `${name} is ${value}: ${why}`, hint: repair }];
  });
  return [...findings, ...adviseOnTime(values), ...adviseOnVersion(server), ...(await adviseOnClock(session))];
}

/** TIMESTAMP has one meaning everywhere; DATETIME has the meaning that its writers gave it. */
function adviseOnTime(values: ReadonlyMap<string, string>): SourceFinding[] {
  const zone = values.get('time_zone') ?? 'SYSTEM';
  const named = zone === 'SYSTEM' ? (values.get('system_time_zone') ?? '') : zone;
  if (/^(?:UTC|GMT|Etc\/UTC|[+-]00:00)$/i.test(named)) return [];
  return [
    {
      severity: 'note',
      code: 'local-time-zone',
      object: 'time_zone',
      message: `the server's time zone is ${named || zone}: what it writes by NOW() into DATETIME columns is local time, and comes as it stands there; TIMESTAMP comes as UTC`,
      hint: "SET GLOBAL time_zone = '+00:00', if its DATETIME columns are meant as UTC",
    },
  ];
}

function adviseOnVersion(server: Server): SourceFinding[] {
  const [major, minor] = server.mariadb ? ([10, 6] as const) : ([8, 0] as const);
  if (isAtLeast(server, major, minor)) return [];
  return [
    {
      severity: 'warning',
      code: 'old-server',
      object: 'version',
      message: `the server is ${server.version}, and capture is tried with ${server.mariadb ? 'MariaDB 10.6 to 12' : 'MySQL 8.0 to 9'}`,
      hint: 'upgrade the server, or compare tables now and then (`writethrough verify`)',
    },
  ];
}

async function adviseOnClock(session: Session): Promise<SourceFinding[]> {
  const { sourceUs, atMs } = await askClock(session);
  const ours = systemClock.nowMs() - (systemClock.monotonicMs() - atMs);
  const seconds = Math.round((sourceUs / 1000 - ours) / 1000);
  if (Math.abs(seconds) < skewSeconds) return [];
  return [
    {
      severity: 'note',
      code: 'clocks-differ',
      object: 'clock',
      message: `the server's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} ours: commit times are those of the server; how old rows may be is reckoned without it`,
      hint: 'keep both in time by NTP',
    },
  ];
}
