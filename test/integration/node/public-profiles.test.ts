import { afterAll, beforeAll, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { signLinkedAccount } from '../../../protocol/identity/linked-account.ts'
import {
  decodePublicProfile,
  encodePublicProfile,
  handlePlace,
  signPublicProfile,
  type PublicProfile
} from '../../../protocol/profile/public-profile.ts'
import { crypto, network, random } from '../../support/network/in-process/fixtures.ts'
import type { TestClient } from '../../support/network/in-process/test-client.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'
import { eventually } from '../../support/wait-for.ts'

let net: TestNetwork
let ada: TestClient
let bob: TestClient

beforeAll(async () => {
  net = await TestNetwork.start(3)
  ada = await net.client(net.nodes[0]!)
  bob = await net.client(net.nodes[1]!)
})
afterAll(() => net.stop())

async function signed(client: TestClient, revision: number, changed: Partial<PublicProfile> = {}): Promise<Uint8Array> {
  const { accountId, deviceId } = client
  const said = { accountId, deviceId, revision, time: Date.now(), sealed: random(60), foundBy: null, ...changed }
  return encodePublicProfile(await signPublicProfile(network, client.key, said))
}
const publish = (client: TestClient, profile: Uint8Array) => client.request({ kind: 'publishProfile', profile })
async function revisionsAt(place: Uint8Array, asker = bob): Promise<number[]> {
  const answer = await asker.request({ kind: 'profiles', place })
  if (answer.kind !== 'profiles') throw new Error(`unexpected ${answer.kind}`)
  return answer.profiles.map(encoded => decodePublicProfile(encoded).revision)
}
/** What a node has on its own disk. */
const keptAt = async (node: TestNode, place: Uint8Array) =>
  (await node.parts.profiles.at(place)).map(({ revision }) => revision)
const nodeKeyOf = ({ seed }: TestNode) => crypto.signingKeyFromSeed(seed)

it('a profile is kept by the replicas of its account, and the newer one by all of them', async () => {
  await publish(ada, await signed(ada, 1))
  await publish(ada, await signed(ada, 2))
  await publish(ada, await signed(ada, 1))
  expect(await revisionsAt(ada.accountId)).toEqual([2])
  await eventually(async () => (await Promise.all(net.nodes.map(n => keptAt(n, ada.accountId)))).every(r => r[0] === 2))
})

it('only a device of the account hands it in, signed by itself, and not from a time to come', async () => {
  const forged = await signed(bob, 9, { accountId: ada.accountId })
  const others = await signed(ada, 9)
  const early = await signed(bob, 9, { time: Date.now() + 60 * 60_000 })
  const broken = decodePublicProfile(await signed(bob, 9))
  const changed = encodePublicProfile({ ...broken, revision: 10 })
  for (const profile of [forged, others, early, changed]) {
    await expect(publish(bob, profile)).rejects.toMatchObject({ code: 'refused' })
  }
  await expect(publish(bob, random(40))).rejects.toMatchObject({ code: 'malformed' })
  // A hostile node brings it past the entry node.
  const [one, other] = net.nodes
  for (const profile of [forged, early, changed]) {
    const put = { kind: 'putProfile' as const, place: ada.accountId, profile }
    await expect(one!.parts.links.request<'putProfile'>(other!.listed.key, put)).rejects.toMatchObject({
      code: 'refused'
    })
  }
  expect(await revisionsAt(ada.accountId)).toEqual([2])
  expect(await revisionsAt(bob.accountId)).toEqual([])
})

it('a name elsewhere is taken only with the word of a listed node, and let go of with the next profile', async () => {
  const place = handlePlace(crypto, network, 'x', 'ada')
  const told = { provider: 'x', handle: 'ada', time: Date.now() }
  const stranger = await crypto.signingKeyFromSeed(random(32))
  const listed = await nodeKeyOf(net.nodes[2]!)
  const wrong = [
    await signLinkedAccount(network, stranger, bob.accountId, told),
    await signLinkedAccount(network, listed, ada.accountId, told),
    { ...(await signLinkedAccount(network, listed, bob.accountId, told)), handle: 'adb' }
  ]
  for (const linked of wrong) {
    const profile = await signed(bob, 1, { foundBy: { username: 'bob', accounts: [linked] } })
    await expect(publish(bob, profile)).rejects.toMatchObject({ code: 'refused' })
  }
  const linked = await signLinkedAccount(network, listed, ada.accountId, told)
  await publish(ada, await signed(ada, 3, { foundBy: { username: 'ada', accounts: [linked] } }))
  expect([await revisionsAt(place), await revisionsAt(ada.accountId)]).toEqual([[3], [3]])
  await publish(ada, await signed(ada, 4))
  expect(await revisionsAt(place)).toEqual([])
  await eventually(async () => (await Promise.all(net.nodes.map(node => keptAt(node, place)))).every(r => !r[0]))
})

it('one replica cannot push a profile out with those of other accounts', async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => net.device()))
  const profiles = await Promise.all(
    others.map(async other => {
      net.devices.set(toHex(other.deviceId), { accountId: other.accountId, keys: other.keys, state: 'live' })
      return signed(other, 1)
    })
  )
  const liar = net.nodes[0]!.parts.publicProfiles
  const honest = liar.at
  liar.at = async () => profiles
  try {
    expect(await revisionsAt(ada.accountId)).toEqual([4])
  } finally {
    liar.at = honest
  }
})

it('a name elsewhere that other accounts have filled does not keep an account from changing its profile', async () => {
  const place = handlePlace(crypto, network, 'x', 'crowd')
  const listed = await nodeKeyOf(net.nodes[2]!)
  const found = async (client: TestClient, revision: number): Promise<Uint8Array> => {
    const told = { provider: 'x', handle: 'crowd', time: Date.now() }
    const linked = await signLinkedAccount(network, listed, client.accountId, told)
    return signed(client, revision, { foundBy: { username: 'crowd', accounts: [linked] } })
  }
  const crowd = await Promise.all(Array.from({ length: 5 }, () => net.client(net.nodes[0]!)))
  for (const client of crowd) await publish(client, await found(client, 1))
  expect(await revisionsAt(place)).toEqual([1, 1, 1, 1])
  const late = crowd[4]!
  expect(await revisionsAt(late.accountId)).toEqual([1])
  // An account whose device was removed makes room.
  const gone = crowd[0]!
  net.devices.set(toHex(gone.deviceId), { accountId: gone.accountId, keys: gone.keys, state: 'revoked' })
  await publish(late, await found(late, 2))
  expect((await revisionsAt(place)).toSorted()).toEqual([1, 1, 1, 2])
})

it('a replica that was away has it after the first question, and keeps it over a restart', async () => {
  const away = net.nodes[2]!
  await away.stop()
  await publish(ada, await signed(ada, 5))
  await away.start()
  await net.linked()
  const carol = await net.client(away)
  expect(await revisionsAt(ada.accountId, carol)).toEqual([5])
  expect(await keptAt(away, ada.accountId)).toEqual([5])
})

it('what a removed device has signed counts as none, and makes room for any other', async () => {
  net.devices.set(toHex(ada.deviceId), { accountId: ada.accountId, keys: ada.keys, state: 'revoked' })
  expect(await revisionsAt(ada.accountId)).toEqual([])
  const other = await net.device()
  net.devices.set(toHex(other.deviceId), { accountId: ada.accountId, keys: other.keys, state: 'live' })
  Object.assign(other, { accountId: ada.accountId })
  await other.connect(net.nodes[0]!.port, net.nodes[0]!.listed.key)
  await publish(other, await signed(other, 1))
  expect(await revisionsAt(ada.accountId)).toEqual([1])
})

it('an account that changes it without end is slowed down', async () => {
  const hasty = await net.client(net.nodes[0]!)
  const tries = await Promise.allSettled(
    Array.from({ length: 70 }, async (_, i) => publish(hasty, await signed(hasty, i + 1)))
  )
  const refused = tries.filter(each => each.status === 'rejected')
  expect(refused).toHaveLength(10)
  expect(refused[0]).toMatchObject({ reason: { code: 'rate-limited' } })
})
