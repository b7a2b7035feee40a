import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import type { Logger } from './ports.ts'

/** Fields that must not reach a log even by mistake. */
const REDACTED = ['token', 'code', 'passphrase', 'seed', 'secret', 'projectId', 'authorization', 'cookie', 'login']

/** A part's view of the log: `(message, fields)`, so that a call reads as its sentence. */
class ComponentLogger implements Logger {
  readonly #pino: PinoLogger

  constructor(logger: PinoLogger) {
    this.#pino = logger
  }

  forComponent(name: string): Logger {
    return new ComponentLogger(this.#pino.child({ component: name }))
  }

  debug(message: string, fields: Record<string, unknown> = {}): void {
    this.#pino.debug(fields, message)
  }

  info(message: string, fields: Record<string, unknown> = {}): void {
    this.#pino.info(fields, message)
  }

  warn(message: string, fields: Record<string, unknown> = {}): void {
    this.#pino.warn(fields, message)
  }

  error(message: string, fields: Record<string, unknown> = {}): void {
    this.#pino.error(fields, message)
  }
}

/**
 * The node's log: JSON lines, to stderr unless told otherwise, because stdout is for the one line that people wait for.
 * An `error` field is written with its type, message and stack.
 */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return new ComponentLogger(
    pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: label => ({ level: label }) },
        serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
        redact: { paths: REDACTED, censor: '(hidden)' }
      },
      destination
    )
  )
}

/** The same log in the order of arguments that `chain/` uses. */
export function chainLogger(
  logger: Logger
): Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void> {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void =>
      logger[level](message, fields as Record<string, unknown>)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
