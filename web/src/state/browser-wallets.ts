/** Cardano wallets that extensions of this browser offer to pages (CIP-30). What they say about themselves is only shown. */

/** Wallets and characters of a name that are shown. */
const MAX_WALLETS = 8
const MAX_NAME = 40

/** What a wallet signed: COSE_Sign1 and COSE_Key, hex. */
interface SignedData {
  signature: string
  key: string
}

/** The part of CIP-30 that is used. Everything comes from an extension, so nothing of it is certain. */
interface WalletApi {
  getRewardAddresses(): Promise<unknown>
  getChangeAddress(): Promise<unknown>
  signData(address: string, payload: string): Promise<unknown>
}

/** A wallet that may be asked. */
export interface BrowserWallet {
  name: string
  /** Asks the person to let the page see the wallet. */
  open(): Promise<OpenWallet>
}

export interface OpenWallet {
  /** Raw address, hex: the reward address, which stays the same, else one that pays. */
  address: string
  sign(text: string): Promise<SignedData>
}

/** @param page - the window; extensions put their wallets into `cardano`. */
export function walletsOf(page: object): BrowserWallet[] {
  const { cardano } = page as { cardano?: unknown }
  if (typeof cardano !== 'object' || cardano === null) return []
  return Object.values(cardano)
    .flatMap((wallet: unknown) => {
      const { name, enable } = (wallet ?? {}) as { name?: unknown; enable?: unknown }
      if (typeof name !== 'string' || name === '' || typeof enable !== 'function') return []
      const open = async (): Promise<OpenWallet> => opened((await enable.call(wallet)) as WalletApi)
      return [{ name: name.slice(0, MAX_NAME), open }]
    })
    .slice(0, MAX_WALLETS)
}

async function opened(api: WalletApi): Promise<OpenWallet> {
  const rewards = await api.getRewardAddresses()
  const address: unknown = (Array.isArray(rewards) ? rewards[0] : undefined) ?? (await api.getChangeAddress())
  if (typeof address !== 'string') throw new TypeError('the wallet has no address')
  const sign = async (text: string): Promise<SignedData> => {
    const { signature, key } = (await api.signData(address, hexOf(text))) as { signature?: unknown; key?: unknown }
    if (typeof signature !== 'string' || typeof key !== 'string') throw new TypeError('the wallet signed nothing')
    return { signature, key }
  }
  return { address, sign }
}

const hexOf = (text: string): string =>
  Array.from(new TextEncoder().encode(text), byte => byte.toString(16).padStart(2, '0')).join('')

/** Whether the person said no in the wallet (CIP-30: `Refused`, `UserDeclined`). */
export function isDeclined(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === -3 || code === 2 || code === 3
}
