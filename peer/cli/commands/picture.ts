/** Pictures between files and the peer: `profile set --picture`, `person @x --picture`, `group picture`. */
import { open, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MAX_PICTURE_BYTES } from '../../../protocol/files/profile-picture.ts'
import type { NodePeer } from '../../node-peer.ts'
import type { Person, PersonPicture } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf } from '../output.ts'

const detailOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? (error as Error).message)

/** @returns the bytes of the file, at most one more than a picture may have. @throws CommandError `file-not-read`. */
export async function readPicture(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path)
    const bytes = new Uint8Array(MAX_PICTURE_BYTES + 1)
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } catch (error) {
    throw commandError('file-not-read', { file: path, detail: detailOf(error) }, { cause: error })
  }
}

/**
 * Writes the picture of a person into a file that is not there yet.
 * @throws CommandError `no-picture`, `file-not-written`; PeerError as `people.picture`.
 */
export async function savePicture(peer: NodePeer, person: Person, path: string): Promise<void> {
  const picture = await peer.people.picture(person.accountId)
  if (!picture) throw commandError('no-picture', { person: nameOf(person) })
  await writePicture(picture, path)
}

/** Writes a picture into a file that is not there yet. @throws CommandError `file-not-written`. */
export async function writePicture(picture: PersonPicture, path: string): Promise<void> {
  try {
    await writeFile(resolve(path), picture.content, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw commandError('file-not-written', { file: path, detail: detailOf(error) }, { cause: error })
  }
}
