import { describe, expect, test } from 'vitest'
import { DirectoryClient, type DirectoryComponents } from '../../../../peer/directory/directory-client.ts'
import { SILENT_LOG } from '../../../../peer/ports.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { nameTagOf, parseUsername } from '../../../../protocol/identity/username.ts'
import type { NetworkId } from '../../../../protocol/network.ts'

const crypto = createNodeCrypto()
const ada = new Uint8Array(32).fill(1) as AccountId
const eve = new Uint8Array(32).fill(2) as AccountId
const name = parseUsername('ada')
const genesis = { nameSalt: new Uint8Array(16), nameTagCost: { memoryKib: 8, passes: 1 } }
const id = new Uint8Array(32) as NetworkId

/** A node that names one account as the holder, or nobody. */
function nodeThatNames(holder: AccountId | undefined) {
  const request = async () => {
    const tag = await nameTagOf(crypto, id, genesis as never, name)
    return { matches: holder ? [{ tag, accountId: holder, state: 'settled' }] : [], complete: true }
  }
  return { request, close: () => undefined }
}

/** Whether the name is taken from Ada, by what the node in use and another operator's say; `null` for one that is away. */
function isTaken(
  here: AccountId | undefined,
  elsewhere: AccountId | undefined | null,
  operators = 2
): Promise<boolean> {
  const nodes = Array.from({ length: operators }, (_, i) => ({ operator: new Uint8Array(32).fill(i) }))
  const components = {
    crypto,
    log: SILENT_LOG,
    network: () => ({ id, genesis, epoch: { nodes } }),
    connection: () => nodeThatNames(here),
    otherOperator: async () => (elsewhere === null ? undefined : nodeThatNames(elsewhere))
  }
  return new DirectoryClient(components as unknown as DirectoryComponents).isTakenFrom(name, ada)
}

describe('a name', () => {
  test('is taken when two operators name the same other account', async () => {
    expect(await isTaken(eve, eve)).toBe(true)
  })

  test.each([
    ['nobody', undefined],
    ['its owner', ada],
    ['nothing, since it is away', null]
  ])('is not taken by the word of one operator while another names %s', async (_what, elsewhere) => {
    expect(await isTaken(eve, elsewhere)).toBe(false)
  })

  test('is not taken while the node in use names its owner, or nobody', async () => {
    expect(await isTaken(ada, eve)).toBe(false)
    expect(await isTaken(undefined, eve)).toBe(false)
  })

  test('is taken by the word of the only operator', async () => {
    expect(await isTaken(eve, null, 1)).toBe(true)
    expect(await isTaken(ada, null, 1)).toBe(false)
  })
})
