// The end of what may be read by time, as text of SQL. A time that is not over yet may still get rows: so a moment is cut down to what the
// column can hold, and only times before it are read. Rows with the same time are then all there, but for those that are committed later
// than `timestamp.delay.interval.ms` allows for.

/** `digits`: behind the second. `2024-05-06 07:08:09.123` */
export function timeText(ms: number, zone: string, digits: number): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(ms);
  const of = (type: string) => parts.find((part) => part.type === type)!.value;
  const fraction = String(((ms % 1000) + 1000) % 1000)
    .padStart(3, '0')
    .padEnd(6, '0')
    .slice(0, digits);
  const day = `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`;
  const time = `${of('hour')}:${of('minute')}:${of('second')}`;
  return `${day} ${time}${digits > 0 ? `.${fraction}` : ''}`;
}

export function dayText(ms: number, zone: string): string {
  return timeText(ms, zone, 0).slice(0, 10);
}
