/** Real peers with stores on disk, registered through a node's demo sign-in: what tests and benchmarks chat with. */
import { rmSync } from 'node:fs'
import { demoSignIn } from '../../../../peer/cli/demo-sign-in.ts'
import { createNodePeer, type NodePeer } from '../../../../peer/node-peer.ts'
import type { Me } from '../../../../peer/peer-api.ts'
import { temporaryFolder } from './node-process.ts'

const RETURN_TO = 'http://127.0.0.1:9/'
const REGISTER_TIMEOUT_MS = 90_000
const NAME_TIMEOUT_MS = 90_000

/** A registered peer and what it takes to find it. */
export interface NetworkPeer {
  name: string
  engine: NodePeer
  me: Me
  dataDir: string
}

/** Registers a person at a node; resolves once others can find the name. */
export async function registerPeer(nodeUrl: string, name: string): Promise<NetworkPeer> {
  const dataDir = temporaryFolder()
  const engine = await createNodePeer({ dataDir, nodeUrl })
  await engine.start()
  const signal = AbortSignal.timeout(REGISTER_TIMEOUT_MS)
  const start = await engine.account.startSignIn('demo', RETURN_TO)
  await engine.account.finishSignIn(await demoSignIn(fetch, start, RETURN_TO, name, signal))
  const me = await engine.account.register({ username: name, displayName: name, deviceName: 'test' })
  if (!(await engine.account.settleName(NAME_TIMEOUT_MS))) throw new Error(`@${name} could not be reserved in time`)
  return { name, engine, me, dataDir }
}

/** The conversation of one peer with another, found by username. */
export async function converse(from: NetworkPeer, to: Pick<NetworkPeer, 'name'>): Promise<string> {
  const person = await from.engine.people.find(to.name)
  if (!person) throw new Error(`@${to.name} was not found by @${from.name}`)
  return (await from.engine.conversations.open(person.accountId)).id
}

/** Stops a peer and removes what it kept. */
export async function disposePeer({ engine, dataDir }: NetworkPeer): Promise<void> {
  await engine.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
