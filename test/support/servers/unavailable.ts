// What is thrown when a server cannot be had on this machine; the message says what would help.
// `sharedServers` turns it into a failure under CI and into a reported skip elsewhere.
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable';
}

/** An installation that may fail for reasons of the machine, such as a mirror that does not answer. */
export async function installing<T>(advice: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServerUnavailable) throw error;
    throw new ServerUnavailable(`${advice} (its installation failed)`, { cause: error });
  }
}
