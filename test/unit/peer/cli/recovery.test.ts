import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { recoveryMake } from '../../../../peer/cli/commands/recovery.ts'
import { PeerError } from '../../../../peer/errors.ts'
import type { NodePeer } from '../../../../peer/node-peer.ts'

/** A device whose code no node confirms. */
function peerThatFails(error: PeerError): NodePeer {
  const peer = {
    snapshot: async () => ({ stage: 'ready', me: { deviceState: 'live' } }),
    online: async () => true,
    recovery: { draft: async () => ({ code: 'CODE', text: 'CODE\n' }), set: () => Promise.reject(error) }
  }
  return peer as unknown as NodePeer
}

describe('recovery make', () => {
  const make = async (error: PeerError) => {
    const out = join(await mkdtemp(join(tmpdir(), 'volo-code-')), 'code.txt')
    const notes: string[] = []
    const output = { print: async () => undefined, note: (text: string) => void notes.push(text) }
    const common = { json: true, data: 'unused', node: undefined, timeoutMs: undefined }
    const command = { kind: 'recoveryMake' as const, out, ...common }
    await expect(recoveryMake(peerThatFails(error), command, output)).rejects.toBe(error)
    return { text: await readFile(out, 'utf8').catch(() => null), notes }
  }

  test('keeps the file when the connection ended: a node may have taken the code', async () => {
    const { text, notes } = await make(new PeerError('offline', { origin: null }))
    expect(text).toBe('CODE\n')
    expect(notes.join()).toContain('may count already')
  })

  test('leaves no file of a code that was refused', async () => {
    expect((await make(new PeerError('recovery-waits'))).text).toBeNull()
  })
})
