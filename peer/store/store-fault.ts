/** Which fault of the store an error of the platform is. */
import { storeFailure } from '../errors.ts'

/** Names of browsers' errors for storage that settings, a policy or a sandbox forbid. */
const BLOCKED_NAMES: ReadonlySet<unknown> = new Set(['SecurityError', 'NotAllowedError', 'InvalidAccessError'])
/** Codes of systems for a folder that this user must not use. */
const BLOCKED_CODES: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS'])

type Platform = { [K in 'name' | 'code' | 'message' | 'cause']?: unknown }

/** @returns PeerError `store`: `full` if the disk, or what the browser grants the site, is used up, else `not-writable`. */
export function writeFailure(location: string, error: unknown): Error {
  return storeFailure(isFull(error) ? 'full' : 'not-writable', location, error)
}

/** @returns PeerError `store`: `in-use`, `full`, `blocked` if settings or rights forbid it, `newer`, else `not-opened`. */
export function openFailure(location: string, error: unknown): Error {
  const fault = [isLocked, isFull, isBlocked, isNewer].find(is => someCause(error, is))
  const { cause } = error as Platform
  if (fault === isLocked) return storeFailure('in-use', location, error)
  if (fault === isFull) return storeFailure('full', location, cause ?? error)
  if (fault === isBlocked) return storeFailure('blocked', location, cause ?? error)
  if (fault === isNewer) return storeFailure('newer', location, cause ?? error)
  return storeFailure('not-opened', location, cause ?? error)
}

/** Browsers name it, Node gives the code of the system, and LevelDB only the words of the system. */
function isFull(error: unknown): boolean {
  return someCause(error, ({ name, code, message }) => {
    return name === 'QuotaExceededError' || code === 'ENOSPC' || /no space left/i.test(String(message))
  })
}

const isLocked = ({ code }: Platform): boolean => code === 'LEVEL_LOCKED'

const isBlocked = ({ name, code, message }: Platform): boolean =>
  BLOCKED_NAMES.has(name) || BLOCKED_CODES.has(code) || /permission denied/i.test(String(message))

const isNewer = ({ name }: Platform): boolean => name === 'VersionError'

/** Whether it is so of an error, or of what caused it. */
function someCause(error: unknown, is: (error: Platform) => boolean): boolean {
  for (let each = error, depth = 0; each && depth < 8; each = (each as Platform).cause, depth++) {
    if (is(each as Platform)) return true
  }
  return false
}
