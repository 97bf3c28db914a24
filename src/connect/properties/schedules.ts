// What a connector does by the clock, of sources that can be read again and compared.
import { scheduleDefaults, scheduleProperties as names } from '../schedule-settings.js';
import { group, long, truth, whole, type PropertyDef } from './property.js';

const schedules = group('Schedules');

export const scheduleProperties: readonly PropertyDef[] = [
  schedules.implemented(
    names.verify,
    'how often all tables are compared with their source, in ms; status and metrics tell what that shows; 0: never by itself',
    { ...long, min: 0, default: scheduleDefaults.interval },
  ),
  schedules.implemented(names.rate, 'rows that such a comparison reads in a second at most; 0: no limit', {
    ...whole,
    min: 0,
    default: scheduleDefaults.rate,
  }),
  schedules.implemented(names.repair, 'whether rows that differ then are read again', {
    ...truth,
    default: scheduleDefaults.repair,
  }),
  schedules.implemented(
    names.snapshot,
    'how often all tables are read again, in place and beside the stream, in ms; 0: never by itself',
    { ...long, min: 0, default: scheduleDefaults.interval },
  ),
];
