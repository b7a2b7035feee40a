/** Stages for a lying node: real peers over a fake network and a ledger on paper, or over real nodes and transport. */
import { toHex } from '../../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { encodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import {
  decodeStoredAccount,
  devicesToSealTo,
  holdReason,
  knowAccount
} from '../../../../peer/directory/known-account.ts'
import { parseNetworkInfo } from '../../../../peer/network/network-info.ts'
import { demoSignIn } from '../../../../peer/cli/demo-sign-in.ts'
import { Libp2pTransport } from '../../../../peer/network/libp2p-transport.ts'
import { STOLEN_DEVICE, type LieStage, type ToldLie, type Visitor } from '../../../adversary/campaigns/peer-lies.ts'
import { genesis } from '../../directory/cast.ts'
import type { LyingNetwork } from '../real-processes/lying-network.ts'
import { SeededRandom } from '../../seeded-random.ts'
import { answerFrame, answersWith, type DirectoryAnswers } from '../../verify/lied-frames.ts'
import { LIES, type LieCast } from '../../verify/lies.ts'
import type { Lie } from '../../verify/node-server.ts'
import { PaperLedger } from '../../verify/paper-ledger.ts'
import { publishCast } from '../../verify/published-cast.ts'
import { FakeNetwork } from './fake-network.ts'
import { TestPeer, type PeerSurroundings } from '../../peer/test-peer.ts'

/** The node that lies. */
const LIAR = 0
const RETURN_TO = 'http://127.0.0.1:9/'
const SIGN_UP_TIMEOUT_MS = 60_000

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
    proofOf: ({ accountId }) => ledger.proof(accountId)!,
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

/** Over real nodes: see {@link LyingNetwork}, which the caller stops. */
export function realStage(network: LyingNetwork, secondOperator: boolean): LieStage {
  const { urls } = network.network
  const surroundings: PeerSurroundings = {
    transport: () => new Libp2pTransport({ allowPlain: () => true }),
    fetch: (url, init) => fetch(url, init),
    url: (node = LIAR) => urls[node]!
  }
  let visitors = 0
  return {
    secondOperator,
    victims: network.cast.victims,
    proofOf: victim => network.proofOf(victim),
    tell: told => network.tell(told),
    visitor: async () => {
      const peer = new TestPeer(surroundings, LIAR)
      await signUp(peer, `visitor${visitors++}`)
      return visitorOf(peer, surroundings)
    }
  }
}

async function signUp(peer: TestPeer, username: string): Promise<void> {
  await peer.start()
  const { engine } = peer
  const start = await engine.account.startSignIn('demo', RETURN_TO)
  const signal = AbortSignal.timeout(SIGN_UP_TIMEOUT_MS)
  await engine.account.finishSignIn(await demoSignIn(fetch, start, RETURN_TO, username, signal))
  peer.me = await engine.account.register({ username, displayName: username, deviceName: 'test' })
  if (!(await engine.online(SIGN_UP_TIMEOUT_MS))) throw new Error(`${username} has no connection`)
}

async function makeLie({ kind, seed }: ToldLie, cast: LieCast): Promise<Lie> {
  return LIES[kind]!(new SeededRandom(seed), cast)
}

/** A peer seen from outside, and into its store. */
async function visitorOf(peer: TestPeer, network: PeerSurroundings): Promise<Visitor> {
  const answer = await network.fetch(`${network.url(LIAR)}/v1/network`)
  const crypto = createNodeCrypto()
  const store = await peer.openStore()
  const info = parseNetworkInfo(crypto, await answer.json(), network.url(LIAR))
  return {
    find: query => peer.engine.people.find(query),
    refresh: accountId => peer.engine.people.refresh(accountId),
    sealsTo: async accountId => {
      const bytes = await store.get({ space: 'account', id: accountId })
      if (!bytes) return []
      const known = await knowAccount(crypto, info, decodeStoredAccount(bytes))
      if (holdReason(known) !== null) return []
      return devicesToSealTo(known).map(({ signingKey }) => toHex(signingKey))
    },
    leave: () => peer.engine.stop()
  }
}
