/**
 * Whether something that happened at `at` is less than `ms` ago, both in milliseconds. What lies in the future was noted before
 * the clock was put back: nobody knows how long ago that is, so it does not count.
 */
export function isLately(at: number, now: number, ms: number): boolean {
  return at <= now && now - at < ms
}

/** Whether a pause of `maxMs` at most still lasts at `now`. One that would end later was begun before the clock was put back. */
export function isPausing(until: number, now: number, maxMs: number): boolean {
  return now < until && until - now <= maxMs
}
