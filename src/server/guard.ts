// Defence of a service on loopback against web pages. A page of a foreign site can make a browser send requests to 127.0.0.1,
// and by DNS rebinding even under a name of its own. So: the Host must be one that we are known by, and a request is refused when the
// browser says that another origin sent it, reads too: the page does not see the answer, but the work is done and the connection taken. Only a
// link to the front page may stand anywhere. Programs send neither Origin nor Sec-Fetch-Site and notice nothing.
import { isIP } from 'node:net';
import { AppError } from '../core/errors.js';
import type { Exchange } from './exchange.js';

export interface GuardOptions {
  /** Names beyond loopback and the bound address under which the service is reached, without port. */
  readonly allowedHosts: readonly string[];
  /** Origins such as `https://console.example` whose pages may send requests. */
  readonly allowedOrigins: readonly string[];
}

export interface Guard {
  /** Throws foreign-origin. */
  check(exchange: Exchange): void;
  /** The address once it is known. */
  setBoundAddress(address: string): void;
}

export function createGuard(options: GuardOptions): Guard {
  const hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()));
  let boundAddress = '127.0.0.1';
  // Nearly all requests carry the same Host; remembering the last good one makes the check one comparison of strings.
  let lastGood: string | undefined;

  function hostAllowed(host: string): boolean {
    const name = hostName(host);
    if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
    if (isIP(name) === 4 && name.startsWith('127.')) return true;
    if (name === boundAddress || hosts.has(name)) return true;
    // Bound to every address: any of them may be named. A literal address cannot be rebound to another one.
    return (boundAddress === '0.0.0.0' || boundAddress === '::') && isIP(name) !== 0;
  }

  return {
    setBoundAddress(address) {
      boundAddress = address;
      lastGood = undefined;
    },
    check(exchange) {
      const host = exchange.host;
      // Without a Host (HTTP/1.0) it is no browser.
      if (host !== undefined && host !== lastGood) {
        if (!hostAllowed(host)) {
          throw new AppError('foreign-origin', `the Host "${host.slice(0, 100)}" is not a name of this service`, {
            hint: 'ask for it by localhost or its address, or add the name to http.allowed-hosts',
          });
        }
        lastGood = host;
      }
      const origin = exchange.header('origin');
      if (origin !== undefined) {
        if (origins.has(origin.toLowerCase()) || sameOrigin(origin, host)) return;
        throw foreign(`a page of ${origin.slice(0, 100)}`);
      }
      const site = exchange.header('sec-fetch-site');
      if (site === undefined || site === 'same-origin' || site === 'none' || isLinkToFrontPage(exchange)) return;
      throw foreign('a page of another origin');
    },
  };
}

/** A page in a frame has another destination. */
function isLinkToFrontPage(exchange: Exchange): boolean {
  return exchange.path === '/' && exchange.method === 'GET' && exchange.header('sec-fetch-dest') === 'document';
}

function foreign(who: string): AppError {
  return new AppError('foreign-origin', `${who} may not send this request`, {
    hint: 'only pages of this service may; add the origin to http.allowed-origins to permit it',
  });
}

/** The service speaks cleartext; a TLS proxy before it keeps the Host, so both schemes count as the same origin. */
function sameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  const lower = origin.toLowerCase();
  return lower === `http://${host.toLowerCase()}` || lower === `https://${host.toLowerCase()}`;
}

function hostName(host: string): string {
  const lower = host.toLowerCase();
  if (lower.startsWith('[')) return lower.slice(1, lower.indexOf(']') < 0 ? undefined : lower.indexOf(']'));
  const colon = lower.lastIndexOf(':');
  const name = colon < 0 ? lower : lower.slice(0, colon);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
