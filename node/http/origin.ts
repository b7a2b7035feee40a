import type { FastifyRequest } from 'fastify'
import { NodeError } from '../errors.ts'
import { LOOPBACK_HOST } from './security-headers.ts'

/** What is known beforehand of where this node is reached. */
export interface OriginInit {
  /** Configured public origin; without one the browser's own address of this node is taken. */
  publicUrl: string | undefined
}

/**
 * The origin under which the browser sees this node. Loopback names are believed, because one machine has several and a
 * container another port; the answer only goes to the client that asked.
 */
export function originOf(request: Pick<FastifyRequest, 'host' | 'protocol'>, publicUrl: string | undefined): string {
  const { host, protocol } = request
  const url = `${protocol}://${host}`
  if (!URL.canParse(url) || new URL(url).host !== host.toLowerCase()) {
    throw new NodeError('malformed', 'The Host header is malformed.')
  }
  if (publicUrl === undefined || LOOPBACK_HOST.test(new URL(url).hostname)) return new URL(url).origin
  return publicUrl
}
