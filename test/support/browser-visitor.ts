/** The peer in a real browser, as the lies campaign sees one: what a tab may ask its worker, and nothing else. */
import type { Browser, Page } from '@playwright/test'
import { PeerError, errorOf, type PeerFailure } from '../../peer/errors.ts'
import type { PeerAreas, Person, PublicRecord } from '../../peer/peer-api.ts'
import type { LieStage, Visitor } from '../adversary/campaigns/peer-lies.ts'
import { BrowserPerson } from '../e2e/support/person.ts'
import type { LyingNetwork } from './network/real-processes/lying-network.ts'

/** What the page leaves for us: a further tab's end of its worker. */
interface PageWithWorker {
  openWorker?: () => SharedWorker
  askWorker?: (call: Call) => Promise<Answer>
}
interface Call {
  area: keyof PeerAreas
  method: string
  args: unknown[]
}
type Answer = { value: unknown; failure?: undefined } | { value?: undefined; failure: PeerFailure }

/** Runs in the page before its own scripts: remembers how the worker was started, so that a second end can be opened. */
function rememberWorker(): void {
  const Native = globalThis.SharedWorker
  globalThis.SharedWorker = class extends Native {
    constructor(...args: ConstructorParameters<typeof SharedWorker>) {
      super(...args)
      ;(globalThis as PageWithWorker).openWorker = () => new Native(...args)
    }
  }
}

/** Runs in the page: one call to the worker, over a port of our own. */
async function ask(call: Call): Promise<Answer> {
  const here = globalThis as PageWithWorker
  if (!here.askWorker) {
    const { port } = here.openWorker!()
    const waiting = new Map<number, (answer: Answer) => void>()
    let last = 0
    port.onmessage = ({ data }: MessageEvent<{ id: number } & Answer>) => {
      waiting.get(data.id)?.(data.failure ? { failure: data.failure } : { value: data.value })
      waiting.delete(data.id)
    }
    here.askWorker = asked =>
      new Promise(resolve => {
        waiting.set(++last, resolve)
        port.postMessage({ kind: 'call', id: last, ...asked })
      })
  }
  return here.askWorker(call)
}

/** A person who has signed up, in a browser profile that only this person uses. */
export class BrowserVisitor implements Visitor {
  readonly person: BrowserPerson

  private constructor(person: BrowserPerson) {
    this.person = person
  }

  static async signUp(browser: Browser, url: string, name: string): Promise<BrowserVisitor> {
    const person = await BrowserPerson.create(browser, name)
    await person.context.addInitScript(rememberWorker)
    await person.signUp(url)
    return new BrowserVisitor(person)
  }

  get page(): Page {
    return this.person.page
  }

  find(query: string): Promise<Person | null> {
    return this.#call('people', 'find', query) as Promise<Person | null>
  }

  refresh(accountId: string): Promise<Person> {
    return this.#call('people', 'refresh', accountId) as Promise<Person>
  }

  async sealsTo(accountId: string): Promise<string[]> {
    try {
      const { person, devices } = (await this.#call('record', 'of', accountId)) as PublicRecord
      if (person.record.state === 'mismatch') return []
      return devices.filter(({ removed }) => removed === null).map(({ signingKey }) => signingKey)
    } catch (error) {
      // The visitor knows no person of this name.
      if (error instanceof PeerError) return []
      throw error
    }
  }

  async leave(): Promise<void> {
    await this.person.close()
  }

  async #call(area: keyof PeerAreas, method: string, ...args: unknown[]): Promise<unknown> {
    const { value, failure } = await this.page.evaluate(ask, { area, method, args })
    if (failure) throw errorOf(failure)
    return value
  }
}

/** Real nodes, and the app in a real browser: see {@link LyingNetwork}, which the caller stops. */
export function browserStage(network: LyingNetwork, browser: Browser, secondOperator: boolean): LieStage {
  let visitors = 0
  return {
    secondOperator,
    victims: network.cast.victims,
    proofOf: victim => network.proofOf(victim),
    tell: told => network.tell(told),
    visitor: () => BrowserVisitor.signUp(browser, network.url, `visitor${visitors++}`)
  }
}
