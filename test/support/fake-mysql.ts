// Servers that speak MySQL's protocol as far as a case wants, and misbehave from there on: by what they send, how much of it, how slowly,
// and in which order.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';

export interface FakeMysql {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** One connection as a misbehaviour sees it. */
export interface FakeConnection {
  readonly socket: Socket;
  /** The number of the next packet. */
  sequence: number;
  readonly send: (...payloads: readonly Buffer[]) => void;
  readonly raw: (bytes: Buffer) => void;
  /** Sends what `next` gives for as long as somebody takes it. */
  readonly pump: (next: () => Buffer) => void;
  /** A byte now and then. */
  readonly drip: (bytes: Buffer, everyMs: number) => void;
}

export interface Misbehaviour {
  readonly greet?: (connection: FakeConnection) => void;
  readonly login?: (connection: FakeConnection) => void;
  readonly query?: (connection: FakeConnection, sql: string) => void;
}

export const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
export const eof = Buffer.from([0xfe, 0, 0, 2, 0]);

export function err(number: number, message: string): Buffer {
  const head = Buffer.from([0xff, number & 0xff, number >> 8]);
  return Buffer.concat([head, Buffer.from(`#HY000${message}`)]);
}

export function greeting(plugin = 'mysql_native_password'): Buffer {
  const scramble = Buffer.from('abcdefghijklmnopqrst');
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from('8.0.36\0'),
    Buffer.from([1, 0, 0, 0]),
    scramble.subarray(0, 8),
    // Capabilities: 4.1, transactions, secure connection; plug-ins. No TLS.
    Buffer.from([0, 0x00, 0xa2, 45, 2, 0, 0x08, 0x00, 21]),
    Buffer.alloc(10),
    scramble.subarray(8),
    Buffer.from([0]),
    Buffer.from(`${plugin}\0`),
  ]);
}

export function text(value: string | null): Buffer {
  if (value === null) return Buffer.from([0xfb]);
  const bytes = Buffer.from(value);
  return Buffer.concat([lengthOf(bytes.length), bytes]);
}

function lengthOf(length: number): Buffer {
  if (length < 0xfb) return Buffer.from([length]);
  if (length < 0x1_0000) return Buffer.from([0xfc, length & 0xff, length >> 8]);
  return Buffer.from([0xfd, length & 0xff, (length >> 8) & 0xff, length >> 16]);
}

export function column(name: string): Buffer {
  const names = [text('def'), text(''), text(''), text(''), text(name), text('')];
  return Buffer.concat([...names, Buffer.from([0x0c, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0])]);
}

/** A whole result, each payload a packet. */
export function result(names: readonly string[], rows: readonly (readonly (string | null)[])[]): Buffer[] {
  return [lengthOf(names.length), ...names.map(column), eof, ...rows.map((row) => Buffer.concat(row.map(text))), eof];
}

export function packet(sequence: number, payload: Buffer): Buffer {
  const { length } = payload;
  return Buffer.concat([Buffer.from([length & 0xff, (length >> 8) & 0xff, length >> 16, sequence & 0xff]), payload]);
}

/** The names that a statement gives its columns; some of its own where it gives none. */
export function namesIn(sql: string): readonly string[] {
  const names = Array.from(sql.matchAll(/\bAS (\w+)/g), ([, name]) => name!);
  return names.length > 0 ? names : ['Variable_name', 'Value'];
}

export async function startFakeMysql(misbehaviour: Misbehaviour): Promise<FakeMysql> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(open(socket), misbehaviour);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function open(socket: Socket): FakeConnection {
  const connection: FakeConnection = {
    socket,
    sequence: 0,
    send: (...payloads) => {
      socket.write(Buffer.concat(payloads.map((payload) => packet(connection.sequence++, payload))));
    },
    raw: (bytes) => {
      socket.write(bytes);
    },
    pump: (next) => {
      const fill = () => {
        while (!socket.destroyed && socket.write(next()));
        if (!socket.destroyed) socket.once('drain', fill);
      };
      fill();
    },
    drip: (bytes, everyMs) => {
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed || at >= bytes.length) clearInterval(timer);
        else socket.write(bytes.subarray(at, ++at));
      }, everyMs);
    },
  };
  return connection;
}

function serve(connection: FakeConnection, misbehaviour: Misbehaviour): void {
  const { socket } = connection;
  let loggedIn = false;
  let waiting: Buffer = Buffer.alloc(0);
  if (misbehaviour.greet) misbehaviour.greet(connection);
  else connection.send(greeting());
  socket.on('data', (data) => {
    waiting = Buffer.concat([waiting, data]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUIntLE(0, 3)) {
      const length = waiting.readUIntLE(0, 3);
      const payload = waiting.subarray(4, 4 + length);
      connection.sequence = waiting[3]! + 1;
      waiting = waiting.subarray(4 + length);
      if (!loggedIn) {
        loggedIn = misbehaviour.login === undefined;
        if (misbehaviour.login) misbehaviour.login(connection);
        else connection.send(ok);
      } else if (payload[0] === 3) {
        const sql = payload.subarray(1).toString('latin1');
        if (misbehaviour.query) misbehaviour.query(connection, sql);
        else answerWell(connection, sql);
      }
    }
  });
}

/** As far as to a session that can be used; everything else has a row of numbers. */
export function answerWell(connection: FakeConnection, sql: string, value: string | null = '1'): void {
  if (/^\s*SET/i.test(sql)) return connection.send(ok);
  const names = namesIn(sql);
  connection.send(...result(names, [names.map(() => value)]));
}

const afterLogin = (then: (connection: FakeConnection, sql: string) => void): Misbehaviour => ({
  query: (connection, sql) =>
    /^\s*(?:SET|SELECT CONCAT_WS)/i.test(sql) ? answerWell(connection, sql) : then(connection, sql),
});

const megabyte = Buffer.alloc(1 << 20, 0x20);
/** So many of the same that the next ones begin by the same number. */
const many = (sequence: number, payload: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: 4096 }, (_, i) => packet(sequence + i, payload)));

/** A part of the largest size, after which there has to be another one. */
function part(sequence: number): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xff, 0xff, sequence & 0xff]), Buffer.alloc(0xffffff, 0x20)]);
}

function endlessPacket(connection: FakeConnection): void {
  let { sequence } = connection;
  connection.pump(() => part(sequence++));
}

/** Each ends by itself, or waits for somebody to give up. */
export const misbehaviours: Readonly<Record<string, Misbehaviour>> = {
  'says nothing': { greet: () => {} },
  'closes at once': { greet: ({ socket }) => void socket.destroy() },
  'resets at once': { greet: ({ socket }) => void socket.resetAndDestroy() },
  'speaks HTTP': { greet: ({ raw }) => raw(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')) },
  'greets with noise': { greet: ({ raw }) => raw(randomBytes(4096)) },
  'greets with half a packet': { greet: ({ raw }) => raw(packet(0, greeting()).subarray(0, 20)) },
  'greets byte by byte': { greet: ({ drip }) => drip(packet(0, greeting()), 200) },
  'greets with an endless packet': { greet: endlessPacket },
  'greets with noise without end': { greet: ({ pump }) => pump(() => megabyte) },
  'greets by a wrong number': { greet: ({ raw }) => raw(packet(7, greeting())) },
  'greets with an error': { greet: ({ send }) => send(err(1129, 'Host is blocked')) },
  'greets with an unknown error': { greet: ({ send }) => send(err(9999, 'no')) },
  'says nothing to a login': { login: () => {} },
  'answers a login with noise': { login: ({ raw }) => raw(randomBytes(512)) },
  'asks for other plug-ins without end': {
    login: (connection) => connection.send(Buffer.from(`\xfemysql_native_password\0abcdefghijklmnopqrst\0`, 'latin1')),
  },
  'asks for an unknown plug-in': {
    login: (connection) => connection.send(Buffer.from(`\xfe__proto__\0abcdefghijklmnopqrst\0`, 'latin1')),
  },
  'has more to say of a login': { login: (connection) => connection.send(Buffer.from([1, 9, 9, 9])) },
  'says nothing to a question': { query: () => {} },
  'says nothing later on': afterLogin(() => {}),
  'has no result': afterLogin((connection) => connection.send(ok)),
  'has no row': afterLogin((connection, sql) => connection.send(...result(namesIn(sql), []))),
  'has NULLs': afterLogin((connection, sql) => answerWell(connection, sql, null)),
  'has nonsense': afterLogin((connection, sql) => answerWell(connection, sql, '\u{1f4a3}-,:;%')),
  'has numbers': afterLogin((connection, sql) => answerWell(connection, sql, '-1e400')),
  'has other columns': afterLogin((connection) => connection.send(...result(['__proto__'], [['x'], ['y']]))),
  'has rows without end': afterLogin((connection) => {
    connection.send(Buffer.from([1]), column('version'), eof);
    const rows = many(connection.sequence, text('x'));
    connection.pump(() => rows);
  }),
  'has large rows without end': afterLogin((connection) => {
    connection.send(Buffer.from([1]), column('version'), eof);
    let { sequence } = connection;
    const row = text('x'.repeat(1 << 20));
    connection.pump(() => packet(sequence++, row));
  }),
  'has a packet without end': afterLogin(endlessPacket),
  'has columns without end': afterLogin((connection) => {
    connection.send(Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]));
    const columns = many(connection.sequence, column('c'));
    connection.pump(() => columns);
  }),
  'has 100,000 columns': afterLogin((connection) => {
    connection.send(Buffer.from([0xfd, 0xa0, 0x86, 0x01]));
    const columns = many(connection.sequence, column('c'));
    connection.pump(() => columns);
  }),
  'has results without end': afterLogin((connection) => {
    const results = many(connection.sequence, Buffer.from([0, 0, 0, 10, 0, 0, 0]));
    connection.pump(() => results);
  }),
  'counts its packets wrongly': afterLogin((connection, sql) => {
    const packets = result(namesIn(sql), [namesIn(sql).map(() => '1')]);
    connection.raw(Buffer.concat(packets.map((payload) => packet(9, payload))));
  }),
  'has rows that are cut': afterLogin((connection) => {
    connection.send(Buffer.from([1]), column('version'), eof, Buffer.from([0xfd, 0xff, 0xff, 0xff, 0x41]));
  }),
  'has no end of columns': afterLogin((connection) => connection.send(Buffer.from([1]), column('version'), text('x'))),
  'asks for a file': afterLogin((connection) => connection.send(Buffer.from('\xfb/etc/passwd', 'latin1'))),
  'resets midway': afterLogin((connection) => {
    connection.send(Buffer.from([1]), column('version'), eof);
    setTimeout(() => connection.socket.resetAndDestroy(), 20);
  }),
  'drips a result': afterLogin((connection, sql) => {
    const packets = result(namesIn(sql), [namesIn(sql).map(() => 'x'.repeat(200))]);
    connection.drip(Buffer.concat(packets.map((payload) => packet(connection.sequence++, payload))), 20);
  }),
  'fails at every question': afterLogin((connection) => connection.send(err(1064, 'no'))),
  'fails by an unknown number': afterLogin((connection) => connection.send(err(65_000, 'no'))),
};
