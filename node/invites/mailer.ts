import { createTransport, type Transporter } from 'nodemailer'
import type { NodeConfig } from '../config/config.ts'
import { NodeError } from '../errors.ts'
import type { Logger } from '../ports.ts'

const SMTP_TIMEOUT_MS = 20_000
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[?::1\]?)$/

/** A mail to one address. */
export interface Mail {
  to: string
  subject: string
  text: string
}

export interface MailerInit {
  /** `smtp://…` or `smtps://…`, with user and password if the server wants them. */
  url: string
  /** Address that the mails come from. */
  from: string
}

/** Sends mails through the operator's SMTP server. Addresses are in memory while a mail is on its way, and nowhere else. */
export class Mailer {
  readonly #transport: Transporter
  readonly #from: string
  readonly #log: Logger

  constructor({ logger }: { logger: Logger }, { url, from }: MailerInit) {
    this.#log = logger.forComponent('volo:mailer')
    this.#from = from
    const { hostname, protocol } = new URL(url)
    this.#transport = createTransport(url, {
      // Without TLS a mail may travel within this machine only.
      requireTLS: protocol === 'smtp:' && !LOOPBACK.test(hostname),
      connectionTimeout: SMTP_TIMEOUT_MS,
      greetingTimeout: SMTP_TIMEOUT_MS,
      socketTimeout: SMTP_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true
    } as object)
  }

  /** Resolves once the server has taken the mail. @throws NodeError `unreachable` if it does not, without saying why to the client. */
  async send({ to, subject, text }: Mail): Promise<void> {
    const headers = { 'Auto-Submitted': 'auto-generated' }
    try {
      // As an object, so that nothing in the text can become a second recipient.
      await this.#transport.sendMail({ from: this.#from, to: { name: '', address: to }, subject, text, headers })
    } catch (error) {
      // The message of the error may have the address in it.
      const { code = 'unknown', responseCode = 0 } = error as { code?: string; responseCode?: number }
      this.#log.warn('a mail was not sent', { code, responseCode })
      throw new NodeError('unreachable', 'The mail could not be sent; try again later, or share the link yourself.')
    }
  }

  close(): void {
    this.#transport.close()
  }
}

/** The mailer that the operator has configured; undefined if there is none. */
export function createMailer(
  components: { logger: Logger },
  { smtpUrl, mailFrom }: Pick<NodeConfig, 'smtpUrl' | 'mailFrom'>,
  publicUrl: string
): Mailer | undefined {
  if (smtpUrl === undefined) return undefined
  return new Mailer(components, { url: smtpUrl, from: mailFrom ?? `no-reply@${new URL(publicUrl).hostname}` })
}
