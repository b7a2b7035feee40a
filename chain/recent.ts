/**
 * Whether less than some time has passed since. What lies in the future is not recent: a clock that ran ahead wrote it and
 * has been corrected, so how long ago it was cannot be told.
 *
 * @param at - milliseconds since 1970, as is `now`. @param forMs - milliseconds.
 */
export function isRecent(at: number, forMs: number, now: number): boolean {
  return at <= now && now - at < forMs
}
