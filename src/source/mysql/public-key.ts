// Logging in without TLS. The plug-ins of SHA-2 then have the password encrypted by a public key that the server sends when it is asked for
// it; whoever sits between can send one of his own and read the password. So it is asked for only where that is allowed
// (database.allowPublicKeyRetrieval, as in Connector/J). What the server remembers of an earlier login (the fast way of
// caching_sha2_password) needs no key, and goes on.
import mysql, { type AuthPlugin } from 'mysql2';
import { AppError } from '../../core/errors.js';

/** The whole packet by which the plug-in asks for the key. */
const requests = { caching_sha2_password: 2, sha256_password: 1 } as const;

/** For mysql2's `authPlugins`. */
export const withoutPublicKey: Readonly<Record<string, AuthPlugin>> = {
  caching_sha2_password: refusing('caching_sha2_password'),
  sha256_password: refusing('sha256_password'),
};

function refusing(name: keyof typeof requests): AuthPlugin {
  const plugin = mysql.authPlugins[name]();
  return (metadata) => {
    const answer = plugin(metadata);
    return (data) => {
      const packet = answer(data);
      if (Buffer.isBuffer(packet) && packet.length === 1 && packet[0] === requests[name]) throw refusal(name);
      return packet;
    };
  };
}

function refusal(name: string): AppError {
  const path = 'database.allowPublicKeyRetrieval';
  return new AppError(
    'source-access-denied',
    `the connection has no TLS, and the plug-in ${name} would encrypt the password by a key that whoever sits between can choose`,
    {
      hint: `let the server offer TLS (database.ssl.mode=required insists on it), or set ${path}=true where nobody can sit between`,
      place: { path },
    },
  );
}
