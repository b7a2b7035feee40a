/** Puts the lies of the HTTP answers also on the stream of a peer. */
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import type { ClientFrame, NodeFrame } from '../../../protocol/wire/peer-frames.ts'
import { cborAnswer, jsonAnswer, type Lie, type NodeAnswer } from './node-server.ts'

/** What a node has of an account, encoded, and who it says holds names. */
export interface DirectoryAnswers {
  proof(accountId: AccountId): Promise<Uint8Array | undefined>
  names(tagPrefix: Uint8Array): Promise<{ tag: Uint8Array; accountId: AccountId }[]>
}

const NOT_FOUND = jsonAnswer({ error: 'not-found', message: 'This node knows of no such account.' }, 404)

/** A lie as {@link DirectoryAnswers}: what is neither an answer nor "not found" is thrown as an Error. */
export function answersWith(lie: Lie | undefined, honest: DirectoryAnswers): DirectoryAnswers {
  if (!lie) return honest
  const told = async (path: string, answer: NodeAnswer): Promise<NodeAnswer> => {
    // Those that write to the connection themselves are for HTTP only.
    const lied = (await lie(path, answer, undefined as never)) ?? answer
    if (lied.status !== 200 && lied.status !== 404) throw new Error('the node does not answer')
    return lied
  }
  return {
    async proof(accountId) {
      const proof = await honest.proof(accountId)
      const { status, body } = await told(
        `/v1/accounts/${toHex(accountId)}/proof`,
        proof ? cborAnswer(proof) : NOT_FOUND
      )
      if (status === 404) return undefined
      return typeof body === 'string' ? new TextEncoder().encode(body) : body
    },
    async names(tagPrefix) {
      const matches = (await honest.names(tagPrefix)).map(match => ({
        tag: toHex(match.tag),
        accountId: toHex(match.accountId)
      }))
      const { status, body } = await told(`/v1/names/${toHex(tagPrefix)}`, jsonAnswer({ matches, complete: true }))
      const json = (typeof body === 'string' && status === 200 ? JSON.parse(body) : null) as {
        matches?: unknown
      } | null
      if (!Array.isArray(json?.matches)) throw new Error('the node does not answer')
      return (json.matches as { tag: string; accountId: string }[]).map(match => ({
        tag: fromHex(match.tag),
        accountId: fromHex(match.accountId) as AccountId
      }))
    }
  }
}

/** The node's frame for a question about accounts or names; undefined for any other question. */
export async function answerFrame(frame: ClientFrame, answers: DirectoryAnswers): Promise<NodeFrame | undefined> {
  const { request } = frame
  try {
    if (frame.kind === 'account') {
      const proof = await answers.proof(frame.accountId)
      if (proof && proof.length > 0) return { kind: 'account', request, proof }
      return { kind: 'error', request, code: proof ? 'internal' : 'not-found', message: 'no such account' }
    }
    if (frame.kind !== 'names') return undefined
    const matches = (await answers.names(frame.tagPrefix)).map(match => ({ ...match, state: 'recorded' as const }))
    return { kind: 'names', request, matches, complete: true }
  } catch (error) {
    return { kind: 'error', request, code: 'internal', message: String(error) }
  }
}
