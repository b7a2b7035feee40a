import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { HttpServer } from '../../../../node/http/http-server.ts'
import { surviveAcceptErrors } from '../../../../node/limits/accept-errors.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const noDescriptors = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })

describe('a server that cannot accept a connection', () => {
  it('says so and goes on', async () => {
    const warnings: string[] = []
    const server = createServer()
    surviveAcceptErrors(server, { warn: message => warnings.push(message) })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    server.emit('error', noDescriptors)
    expect(warnings).toHaveLength(1)
    server.close()
  })

  it('still reports a port that is taken to who wanted it, without a warning', async () => {
    const warnings: string[] = []
    const taken = createServer()
    await once(taken.listen(0, '127.0.0.1'), 'listening')
    const server = createServer()
    surviveAcceptErrors(server, { warn: message => warnings.push(message) })
    const failed = once(server, 'error')
    server.listen(taken.address())
    expect((await failed)[0]).toMatchObject({ code: 'EADDRINUSE' })
    expect(warnings).toEqual([])
    taken.close()
  })

  it('is no reason for the public port to end the process', async () => {
    const epoch = () => ({ number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] })
    const init = { version: '0', trustProxy: false, requestsPerMinute: 1_000, overTls: false, epoch }
    const http = new HttpServer({ logger: silentLogger }, init)
    await http.listen('127.0.0.1', 0)
    http.server.emit('error', noDescriptors)
    await http.stop()
  })
})
