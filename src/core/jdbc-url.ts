// The URLs that sources which are polled are given by: read in one place, so that who checks where a connector may go sees what its source
// will open.

export type JdbcUrl =
  | { readonly kind: 'file'; readonly file: string }
  | {
      readonly kind: 'server';
      readonly host: string;
      readonly port: string | undefined;
      /** Empty: none is named. */
      readonly database: string;
      readonly parameters: URLSearchParams;
    };

/** Undefined: not the URL of a database that is covered. */
export function parseJdbcUrl(url: string): JdbcUrl | undefined {
  const file = /^jdbc:sqlite:(?:file:)?([^?]+)/.exec(url)?.[1];
  if (file !== undefined) return { kind: 'file', file };
  const server = /^jdbc:(?:mysql|mariadb):\/\/(\[[^\]]+\]|[^:/?,]+)(?::(\d+))?(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  const database = decoded(server?.[3] ?? '');
  if (server === null || database === undefined) return undefined;
  return {
    kind: 'server',
    host: server[1]!.replaceAll(/[[\]]/g, ''),
    port: server[2],
    database,
    parameters: new URLSearchParams(server[4] ?? ''),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a % that begins nothing
  }
}
