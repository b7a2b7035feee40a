import { base64urlnopad } from '@scure/base'
import { Rendezvous } from '../../../../node/linking/rendezvous.ts'
import { NodeError } from '../../../../node/errors.ts'

/** The boxes of a real node, with what goes wrong on the way to them. */
export class FakeLinking {
  rendezvous = new Rendezvous({ clock: Date.now })
  #isRestarting = false
  /** Messages that were kept, in their order. */
  readonly kept: { box: string; index: number; sealed: Uint8Array }[] = []
  /** The connection is lost once so many messages were kept. */
  keptBeforeLoss = Infinity
  fateOfDevice: 'taken' | 'lost' | 'lost answer' = 'taken'
  /** Puts another message in the place of one, or none for undefined. */
  swap: (sealed: Uint8Array, box: string, index: number) => Promise<Uint8Array | undefined> = async sealed => sealed

  #replaced = new Map<string, Uint8Array>()

  /** Another message is read in this place from now on. */
  replace(box: string, index: number, sealed: Uint8Array): void {
    this.#replaced.set(`${box} ${index}`, sealed)
  }

  /** The node starts again: its boxes are empty, and the next question does not reach it. */
  restart(): void {
    this.#isRestarting = true
    this.rendezvous.stop()
    this.rendezvous = new Rendezvous({ clock: Date.now })
  }

  get #isLost(): boolean {
    return this.kept.length >= this.keptBeforeLoss
  }

  /** As the routes of `node/http/linking-routes.ts`. */
  async answer(pathname: string, { searchParams }: URL, init: RequestInit | undefined): Promise<Response> {
    const [, , , box = '', place] = pathname.split('/')
    const index = Number(place)
    if (this.#isLost || this.#isRestarting) {
      this.#isRestarting = false
      throw new TypeError('fetch failed')
    }
    if (init?.method === 'POST') return this.#put(box, index, base64urlnopad.decode(String(init.body)))
    const replaced = this.#replaced.get(`${box} ${index}`)
    const given = replaced ?? this.rendezvous.get(box, index, Number(searchParams.get('wait')), '127.0.0.1')
    const message = await Promise.race([given, aborted(init?.signal)])
    if (this.#isLost) throw new TypeError('fetch failed')
    return new Response(JSON.stringify({ message: message ? base64urlnopad.encode(message) : null }))
  }

  async #put(box: string, index: number, sealed: Uint8Array): Promise<Response> {
    const changed = await this.swap(sealed, box, index)
    if (!changed) return new Response('{"kept":true}')
    try {
      const isKept = this.rendezvous.put(box, index, changed, '127.0.0.1')
      if (isKept) this.kept.push({ box, index, sealed: changed })
      return new Response(JSON.stringify({ kept: isKept }))
    } catch (error) {
      if (error instanceof NodeError) return new Response(`{"error":"${error.code}"}`, { status: 400 })
      throw error
    }
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new TypeError('aborted'))))
}
