/** Checks of what options are given. Each throws a UsageError with a sentence. */
import { UsageError } from './usage-error.ts'

/** A text that is not empty. @param option - its name without dashes. */
export const nonEmpty =
  (option: string) =>
  (value: string): string => {
    if (value === '') throw new UsageError(`--${option} is empty`)
    return value
  }

/** A whole number above 0. @param option - its name without dashes. */
export const positiveInteger =
  (option: string) =>
  (value: string): number => {
    const number = Number(value)
    if (value.trim() !== '' && Number.isSafeInteger(number) && number > 0) return number
    throw new UsageError(`--${option} must be a whole number above 0, got "${value}"`)
  }

/** A switch. @param option - its name without dashes. */
export const onOrOff =
  (option: string) =>
  (value: string): boolean => {
    if (value === 'on' || value === 'off') return value === 'on'
    throw new UsageError(`--${option} must be on or off, got "${value}"`)
  }

/** A username as people type it. */
export const withoutAt = (name: string): string => name.replace(/^@/, '')
