import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { isBlockedByBrowsers } from '../../protocol/node-origin.ts'

/** Below the ports that systems give to outgoing connections: one of those may take a port between two starts of a node. */
const LOWEST = 10_000
const HIGHEST = 32_000
const given = new Set<number>()

/** A TCP port on loopback that is free now, that browsers connect to, and that no other test of this process was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port) || isBlockedByBrowsers(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
