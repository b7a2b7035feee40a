import type { CDPSession, Page } from '@playwright/test'

/** The authenticator of a page, in place of a fingerprint reader or a security key. */
export class VirtualPasskeys {
  readonly #session: CDPSession
  #id = ''

  private constructor(session: CDPSession) {
    this.#session = session
  }

  /** @param hasPrf - whether its passkeys give keys. */
  static async attach(page: Page, hasPrf: boolean): Promise<VirtualPasskeys> {
    const session = await page.context().newCDPSession(page)
    await session.send('WebAuthn.enable')
    const made = new VirtualPasskeys(session)
    await made.#add(hasPrf)
    return made
  }

  /** Puts another authenticator in its place; the passkeys of the old one are gone. */
  async replace(hasPrf: boolean): Promise<void> {
    await this.#session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#id })
    await this.#add(hasPrf)
  }

  /** @param isVerified - false: the finger is a stranger's. */
  async setUserVerified(isVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified: isVerified })
  }

  /** How many passkeys it keeps. */
  async count(): Promise<number> {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id })
    return credentials.length
  }

  /** Takes it away, and its passkeys with it. */
  async detach(): Promise<void> {
    await this.#session.send('WebAuthn.disable')
    await this.#session.detach()
  }

  async #add(hasPrf: boolean): Promise<void> {
    const { authenticatorId } = await this.#session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        hasPrf
      }
    })
    this.#id = authenticatorId
  }
}
