// Where the stream is in the binlog files. Events tell their end in 32 bits, and a file may be longer than 4 GiB (one transaction is never
// cut): the end is the first place behind the one before it that has these bits.
import { artificialFlag, header, parseHeartbeat, parseRotate } from './binlog-event.js';
import { compareOffsets, type FileOffset } from './position.js';

const wrap = 2 ** 32;

export class BinlogPlace {
  file = '';
  offset = 0;
  /** File and offset are the end of what has been read, not only a place before it, as they are after a start by GTID. */
  exact = false;
  /** Bytes of events behind the offset that do not say where they end. */
  #behind = 0;
  /** Of the last event. */
  #size = 0;

  constructor(at: FileOffset | undefined) {
    if (at === undefined) return;
    this.file = at.file;
    this.offset = at.offset;
    this.exact = true;
  }

  get at(): FileOffset {
    return { file: this.file, offset: this.offset };
  }

  /** An event of the file has been read. Those that the server makes up, and those inside of transactions of MariaDB, tell no end. */
  advance(event: Buffer): void {
    const next = header.nextOffset(event);
    if (next > 0) {
      this.offset = behind(this.offset, next);
      this.#behind = 0;
    } else if ((header.flags(event) & artificialFlag) === 0) this.#behind += header.size(event);
    this.#size = header.size(event);
  }

  /** Where the last event begins. */
  get begin(): number {
    return this.offset + this.#behind - this.#size;
  }

  rotate(event: Buffer): FileOffset {
    const at = parseRotate(event);
    this.file = at.file;
    this.offset = at.offset;
    this.#behind = 0;
    return at;
  }

  /** The server has nothing more up to there. */
  heartbeat(event: Buffer): void {
    const at = parseHeartbeat(event);
    if (at === undefined) return;
    this.offset = at.file === this.file && at.offset < wrap ? behind(this.offset, at.offset) : at.offset;
    this.file = at.file;
    this.#behind = 0;
    this.exact = true;
  }

  /** Everything before this place in the binlog has been read. */
  reached(place: FileOffset): boolean {
    return this.file !== '' && (compareOffsets(this.at, place) ?? -1) >= 0;
  }
}

function behind(offset: number, low: number): number {
  const near = offset - (offset % wrap) + low;
  return near >= offset ? near : near + wrap;
}
