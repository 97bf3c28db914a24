// What the two ends of the bridge say to each other over a MessagePort. One port carries any number of producers, told apart
// by the client's own numbers; order of messages is the port's.
import type { ErrorMessage } from '../../core/errors.js';
import type { SentChunk } from './sent-chunk.js';

export type ClientMessage =
  | { readonly kind: 'open'; readonly id: number; readonly producer: string }
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: SentChunk }
  | { readonly kind: 'close'; readonly id: number }
  | { readonly kind: 'position'; readonly id: number; readonly producer: string };

export type ServerMessage =
  /** Answer to open. */
  | {
      readonly kind: 'opened';
      readonly id: number;
      readonly position: string | null;
      readonly seq: number;
      readonly creditBytes: number;
    }
  /** Answer to position. */
  | { readonly kind: 'position'; readonly id: number; readonly position: string | null }
  | {
      readonly kind: 'durable';
      readonly id: number;
      readonly position: string;
      readonly seq: number;
      readonly closed: number;
      /** Of credit that is free again: one message instead of two for each commit. */
      readonly bytes: number;
    }
  | { readonly kind: 'released'; readonly id: number; readonly bytes: number }
  /** The opening was refused, or the producer is fenced, or the log has failed. */
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorMessage };
