// What a script's head allows, and whether an error is one that a person can go by.
import type { Place } from './place.js';
import type { Script } from './script.js';
import type { ServiceError } from './service.js';

const denial =
  /\b(?:must|may|should|does|do|is|are)?\s*(?:not|never|nor|without)\s+(?:be\s+)?(?:a\s+)?(?:stop|refus)[^.;:]*/gi;
const permission = /\b(?:stops?|stopped|stopping|refus\w+)\b|limit that README states/i;

/** The head says that it is right if capture stops, or will not begin. */
export function mayStop({ head }: Pick<Script, 'head'>): boolean {
  return permission.test(head.replaceAll(denial, ''));
}

/** Undefined: the error has a stable code, names what it is about and says what to do; else what it lacks. */
export function lackOf(error: ServiceError, place: Place): string | undefined {
  if (!/^[a-z]+(?:-[a-z]+)*$/.test(error.code) || error.code === 'internal') return `no stable code ("${error.code}")`;
  const text = `${error.message}\n${error.hint}`.toLowerCase();
  if (!place.names().some((name) => text.includes(name.toLowerCase()))) return 'no name of what it is about';
  return error.hint === '' ? 'no hint' : undefined;
}
