const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const WEEK_DAYS = 7

/** Dates and times in one language. All times are milliseconds since 1970; days are those of the device's time zone. */
export class Dates {
  readonly #time: Intl.DateTimeFormat
  readonly #weekday: Intl.DateTimeFormat
  readonly #day: Intl.DateTimeFormat
  readonly #dayAndYear: Intl.DateTimeFormat
  readonly #shortDay: Intl.DateTimeFormat
  readonly #year: Intl.DateTimeFormat
  readonly #dateTime: Intl.DateTimeFormat
  readonly #relative: Intl.RelativeTimeFormat

  /** @param locale - BCP 47 tag. @param timeZone - IANA name, by default the device's. */
  constructor(locale: string, timeZone?: string) {
    const format = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(locale, timeZone ? { ...options, timeZone } : options)
    this.#time = format({ timeStyle: 'short' })
    this.#weekday = format({ weekday: 'long' })
    this.#day = format({ weekday: 'long', day: 'numeric', month: 'long' })
    this.#dayAndYear = format({ day: 'numeric', month: 'long', year: 'numeric' })
    this.#shortDay = format({ day: 'numeric', month: 'short' })
    this.#year = format({ year: 'numeric' })
    this.#dateTime = format({ dateStyle: 'long', timeStyle: 'short' })
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  }

  /** "14:02". */
  time(at: number): string {
    return this.#time.format(at)
  }

  /** "12 May 2027, 14:03". */
  dateTime(at: number): string {
    return this.#dateTime.format(at)
  }

  /** Names the day a time belongs to, equal for equal days. */
  dayKey(at: number): string {
    return this.#dayAndYear.format(at)
  }

  /** For a day divider: "Today", "Yesterday", "Monday, 3 May", or with the year when it is another one. */
  day(at: number, now: number): string {
    const days = this.#daysAgo(at, now)
    if (days === 0 || days === 1) return capitalized(this.#relative.format(-days, 'day'))
    return this.#isThisYear(at, now) ? this.#day.format(at) : this.#dayAndYear.format(at)
  }

  /** For a list row: the time today, "Yesterday", a weekday this week, else the date. */
  brief(at: number, now: number): string {
    const days = this.#daysAgo(at, now)
    if (days === 0) return this.time(at)
    if (days === 1) return capitalized(this.#relative.format(-1, 'day'))
    if (days !== null && days < WEEK_DAYS) return this.#weekday.format(at)
    return this.#isThisYear(at, now) ? this.#shortDay.format(at) : this.#dayAndYear.format(at)
  }

  /** "4 minutes ago". */
  ago(at: number, now: number): string {
    const passed = Math.max(0, now - at)
    if (passed < MINUTE_MS) return this.#relative.format(0, 'second')
    if (passed < HOUR_MS) return this.#relative.format(-Math.floor(passed / MINUTE_MS), 'minute')
    if (passed < DAY_MS) return this.#relative.format(-Math.floor(passed / HOUR_MS), 'hour')
    return this.#relative.format(-Math.floor(passed / DAY_MS), 'day')
  }

  #isThisYear(at: number, now: number): boolean {
    return this.#year.format(at) === this.#year.format(now)
  }

  /** Calendar days between a time and now, null if it is a week or more, or in the future. */
  #daysAgo(at: number, now: number): number | null {
    const key = this.dayKey(at)
    for (let days = 0; days < WEEK_DAYS; days++) if (this.dayKey(now - days * DAY_MS) === key) return days
    return null
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1)
}
