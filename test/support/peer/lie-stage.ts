/** The stage of a lying node without processes: real peers, a fake network, a ledger on paper. */
import { toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { encodeProof } from '../../../protocol/directory/proof.ts'
import { decodeStoredAccount, devicesToSealTo, holdReason, knowAccount } from '../../../peer/engine/known-account.ts'
import { parseNetworkInfo } from '../../../peer/engine/network-info.ts'
import { STOLEN_DEVICE, type LieStage, type ToldLie, type Visitor } from '../../campaigns/peer-lies.ts'
import { genesis } from '../directory/cast.ts'
import { SeededRandom } from '../seeded-random.ts'
import { answerFrame, answersWith, type DirectoryAnswers } from '../verify/lied-frames.ts'
import { LIES, type LieCast } from '../verify/lies.ts'
import type { Lie } from '../verify/node-server.ts'
import { PaperLedger } from '../verify/paper-ledger.ts'
import { Person, type Ledger } from '../verify/published-world.ts'
import { FakeNetwork } from './fake-network.ts'
import { TestPeer, type PeerSurroundings } from './test-peer.ts'

/** The node that lies. */
const LIAR = 0

/** Publishes people to lie about, and those whose records the lies are spliced from. */
export async function publishCast(
  ledger: Ledger,
  victims: number
): Promise<{ victims: Person[]; other: Person; liar: Person }> {
  const people: Person[] = []
  for (let i = 0; i < victims; i++) {
    const person = await Person.create(ledger, `victim${i}`, STOLEN_DEVICE)
    await person.claimName()
    await person.publish(await person.revokeRecord(STOLEN_DEVICE))
    people.push(person)
  }
  const other = await Person.create(ledger, 'bystander', 2)
  await other.claimName()
  const liar = await Person.create(ledger, 'mallory')
  await ledger.forge(2)
  return { victims: people, other, liar }
}

export async function startFakeStage(init: {
  secondOperator: boolean
  victims: number
}): Promise<LieStage & { network: FakeNetwork }> {
  const network = await FakeNetwork.create(init.secondOperator ? 2 : 1, genesis)
  const ledger = new PaperLedger()
  const { victims, other, liar } = await publishCast(ledger, init.victims)
  const honest: DirectoryAnswers = {
    proof: async accountId => {
      const proof = ledger.proof(accountId)
      return proof && encodeProof(proof)
    },
    names: async tagPrefix => ledger.names(tagPrefix)
  }
  let lie: Lie | undefined
  network.answer = async (frame, node) => {
    const isOurs =
      (frame.kind === 'account' && ledger.proof(frame.accountId)) ||
      (frame.kind === 'names' && ledger.names(frame.tagPrefix).length > 0)
    return isOurs ? answerFrame(frame, answersWith(node === LIAR ? lie : undefined, honest)) : undefined
  }
  let visitors = 0
  return {
    network,
    secondOperator: init.secondOperator,
    victims,
    tell: async told => {
      const castOf = (victim: number): LieCast => ({
        victim: victims[victim]!,
        other,
        liar,
        stolenDevice: STOLEN_DEVICE,
        proofOf: person => ledger.proof(person.accountId)!
      })
      lie = told && (await makeLie(told, castOf(told.victim)))
    },
    visitor: async () => {
      const peer = new TestPeer(network, LIAR)
      await peer.register(`visitor${visitors++}`)
      return visitorOf(peer, network)
    }
  }
}

export async function makeLie({ kind, seed }: ToldLie, cast: LieCast): Promise<Lie> {
  return LIES[kind]!(new SeededRandom(seed), cast)
}

/** A peer seen from outside, and into its store. */
export async function visitorOf(peer: TestPeer, network: PeerSurroundings): Promise<Visitor> {
  const answer = await network.fetch(`${network.url(LIAR)}/v1/network`)
  const crypto = createNodeCrypto()
  const store = await peer.openStore()
  const info = parseNetworkInfo(crypto, await answer.json(), network.url(LIAR))
  return {
    find: query => peer.engine.findPerson(query),
    refresh: accountId => peer.engine.refreshPerson(accountId),
    sealsTo: async accountId => {
      const bytes = await store.get({ space: 'account', id: accountId })
      if (!bytes) return []
      const known = await knowAccount(crypto, info, decodeStoredAccount(bytes))
      if (holdReason(known, '') !== null) return []
      return devicesToSealTo(known).map(({ signingKey }) => toHex(signingKey))
    },
    leave: () => peer.engine.stop()
  }
}
