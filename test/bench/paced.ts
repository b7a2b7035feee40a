/** How both sides of the latency measurement send and note arrivals: one code, so that they are measured alike. */
import { comesTrue } from '../support/wait-for.ts'

/** How many messages, and how fast. */
export interface Pace {
  count: number
  perSecond: number
}

/** What either end of a measured line is asked for; each is answered once. */
export type PacedRequest =
  | ({ ask: 'send' } & Pace)
  /** Waits until `count` messages came, at most for `timeoutMs`. */
  | { ask: 'received'; count: number; timeoutMs: number }
  | { ask: 'stop' }

/** Messages by their number, each with microseconds of a clock that all processes of the machine share. */
export type Times = [number, number][]

const now = (): number => Number(process.hrtime.bigint() / 1_000n)

/** Sends numbered messages one after the other, with a pause after each. @returns when each was handed over. */
export async function sendPaced({ count, perSecond }: Pace, send: (number: number) => unknown): Promise<Times> {
  const sent: Times = []
  for (let number = 0; number < count; number++) {
    sent.push([number, now()])
    await send(number)
    await new Promise(resolve => setTimeout(resolve, 1000 / perSecond))
  }
  return sent
}

/** When each message came first. */
export class Arrivals {
  readonly #times = new Map<number, number>()

  note(number: number): void {
    if (!this.#times.has(number)) this.#times.set(number, now())
  }

  /** What came until there are `count` or the time is over; the next call begins anew. */
  async take(count: number, timeoutMs: number): Promise<Times> {
    await comesTrue(() => this.#times.size >= count, { timeoutMs })
    const times = [...this.#times]
    this.#times.clear()
    return times
  }
}
