// What is thrown when a server cannot be had on this machine; the message says what would help.
// `sharedServers` turns it into a failure under CI and into a reported skip elsewhere.
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable';
}
