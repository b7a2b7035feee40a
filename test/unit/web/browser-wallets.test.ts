import { expect, it } from 'vitest'
import { isDeclined, walletsOf } from '../../../web/src/state/browser-wallets.ts'

const api = (more: object = {}) => ({
  getRewardAddresses: async () => ['e0aa'],
  getChangeAddress: async () => '00bb',
  signData: async (address: string, payload: string) => ({ signature: `${address}:${payload}`, key: 'a4' }),
  ...more
})

it('offers what looks like a wallet, and nothing else that is there', () => {
  const cardano = {
    lace: { name: 'Lace', enable: async () => api() },
    broken: { name: 'Broken' },
    odd: null,
    nameless: { name: '', enable: () => undefined },
    text: 'text'
  }
  expect(walletsOf({ cardano }).map(({ name }) => name)).toEqual(['Lace'])
  expect(walletsOf({})).toEqual([])
  expect(walletsOf({ cardano: 'x' })).toEqual([])
  const many = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [i, { name: 'x'.repeat(99), enable: () => ({}) }])
  )
  expect(walletsOf({ cardano: many })).toHaveLength(8)
  expect(walletsOf({ cardano: many })[0]!.name).toHaveLength(40)
})

it('signs the text in hex for the reward address, else for the one that pays', async () => {
  const open = async (more: object) =>
    walletsOf({ cardano: { a: { name: 'A', enable: async () => api(more) } } })[0]!.open()
  const wallet = await open({})
  expect(wallet.address).toBe('e0aa')
  expect(await wallet.sign('Aé')).toEqual({ signature: 'e0aa:41c3a9', key: 'a4' })
  expect((await open({ getRewardAddresses: async () => [] })).address).toBe('00bb')
  await expect(open({ getRewardAddresses: async () => 5, getChangeAddress: async () => null })).rejects.toThrow(
    'no address'
  )
  await expect((await open({ signData: async () => ({}) })).sign('a')).rejects.toThrow('signed nothing')
})

it('knows when the person said no', () => {
  expect([{ code: -3 }, { code: 2 }, { code: 3 }].every(isDeclined)).toBe(true)
  expect([{ code: -1 }, new Error('x'), null].some(isDeclined)).toBe(false)
})
