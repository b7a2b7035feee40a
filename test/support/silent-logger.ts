import type { Logger } from '../../node/ports.ts'

/** A node's logger that says nothing. */
export const silentLogger: Logger = {
  forComponent: () => silentLogger,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined
}
