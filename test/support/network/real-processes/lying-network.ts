/** A network of real nodes, one of which lies when the test asks for it, over a real devnet with people to lie about. */
import { toHex } from '../../../../protocol/bytes.ts'
import { encodeProof, type AccountProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { ChainReplay } from '../../../../chain/verify/sources/replay.ts'
import { STOLEN_DEVICE, type ToldLie } from '../../../adversary/campaigns/peer-lies.ts'
import { genesis } from '../../directory/cast.ts'
import { LocalNetwork } from './local-network.ts'
import type { LieOrder, ToldPerson } from './lying-node.ts'
import { publishCast, type PublishedCast } from '../../verify/published-cast.ts'
import { PublishedWorld, type Person } from '../../verify/published-world.ts'

/** The node that lies. */
const LIAR = 0
const ANSWER_TIMEOUT_MS = 20_000

export class LyingNetwork {
  readonly network: LocalNetwork
  readonly cast: PublishedCast
  readonly #world: PublishedWorld
  readonly #replay: ChainReplay
  #number = 0

  private constructor(network: LocalNetwork, cast: PublishedCast, world: PublishedWorld, replay: ChainReplay) {
    this.network = network
    this.cast = cast
    this.#world = world
    this.#replay = replay
  }

  /** @param secondOperator - whether there is another node, which is honest. */
  static async start(init: { secondOperator: boolean; victims: number }): Promise<LyingNetwork> {
    const world = await PublishedWorld.start()
    try {
      const cast = await publishCast(world, init.victims)
      const network = await LocalNetwork.start({
        nodes: init.secondOperator ? 2 : 1,
        genesis,
        chainUrl: world.url,
        program: index => (index === LIAR ? 'test/support/network/real-processes/lying-node.ts' : 'node/main.ts')
      })
      return new LyingNetwork(network, cast, world, await world.replay())
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  /** Origin of the lying node. */
  get url(): string {
    return this.network.urls[LIAR]!
  }

  /** What the lying node says from now on; undefined for the truth. */
  async tell(told: ToldLie | undefined): Promise<void> {
    const { other, liar, victims } = this.cast
    const number = ++this.#number
    const lie = told && {
      ...told,
      stolenDevice: STOLEN_DEVICE,
      victim: this.#told(victims[told.victim]!),
      other: this.#told(other),
      liar: this.#told(liar)
    }
    const { child } = this.network.processOf(LIAR)
    const isObeyed = new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error('the lying node does not answer')), ANSWER_TIMEOUT_MS)
      const onMessage = (answer: { number: number }): void => {
        if (answer.number !== number) return
        clearTimeout(deadline)
        child.off('message', onMessage)
        resolve()
      }
      child.on('message', onMessage)
    })
    child.send({ number, lie: lie ?? null } satisfies LieOrder)
    await isObeyed
  }

  /** What the chain holds of a person of the cast. */
  proofOf({ accountId }: Pick<Person, 'accountId'>): AccountProof {
    return this.#replay.proof(accountId)!
  }

  #told(person: Person): ToldPerson {
    const { name, id, head } = person
    return { name, id, head: toHex(head), proof: toHex(encodeProof(this.proofOf(person))) }
  }

  async stop(): Promise<void> {
    await this.network.stop()
    await this.#world.stop()
  }
}
