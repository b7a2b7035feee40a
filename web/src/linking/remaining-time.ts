/** Minutes and seconds until something ends, such as `9:05`; `0:00` once it is over. */
export function remainingTime(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
