/** `sign`: signs a file with the key of this device. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { commandError } from '../errors.ts'
import { printable } from '../output.ts'
import { EXIT, me, requireLive, type Run } from './runnable.ts'

export const sign: Run<'sign'> = async (peer, command, output) => {
  await requireLive(peer)
  const { file } = command
  const out = command.out ?? `${file}.sig`
  const sha512 = await hashOf(file)
  await write(out, await peer.devices.signFile(sha512))
  const { accountId, username, deviceId } = await me(peer)
  await output.print({ file, signature: out, sha512, accountId, username, deviceId }, `Signed: ${printable(out)}`)
  return EXIT.done
}

/** @throws CommandError `file-not-read`. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha512')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  } catch (error) {
    throw commandError('file-not-read', { file, detail: (error as Error).message }, { cause: error })
  }
  return hash.digest('hex')
}

/** A signature that is there is replaced: it is made again from the file. @throws CommandError `file-not-written`. */
async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw commandError('file-not-written', { file, detail: (error as Error).message }, { cause: error })
  }
}
