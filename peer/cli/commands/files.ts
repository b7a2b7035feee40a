/** `save`, and the reading of a file that is sent. */
import { openAsBlob } from 'node:fs'
import { constants, copyFile, link, mkdir, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import { commandError } from '../errors.ts'
import { fileJson, sizeWords } from '../output.ts'
import { saidProgress } from './said-progress.ts'
import { EXIT, orTimeout, requireRegistered, type Run } from './runnable.ts'

/** Default of `--timeout` for files: 100 MiB over a slow line. */
export const FILE_TIMEOUT_MS = 15 * 60_000
/** How long `save` waits for a connection; the file may be here already. */
const CONNECT_MS = 10_000
/** Numbers tried behind a name that is taken. */
const MAX_NUMBERED = 1_000

/** The content and the name of a file that is to be sent. @throws CommandError `file-not-read`. */
export async function fileToSend(path: string): Promise<{ content: Blob; name: string }> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is a folder, or no ordinary file')
    return { content: await openAsBlob(path), name: basename(resolve(path)) }
  } catch (error) {
    throw notRead(path, error)
  }
}

const notRead = (file: string, error: unknown): Error =>
  commandError('file-not-read', { file, detail: detailOf(error) }, { cause: error })

export const save: Run<'save'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const timeoutMs = command.timeoutMs ?? FILE_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  const file = await orTimeout(signal, 'fetch-file', async () => {
    await peer.online(Math.min(timeoutMs, CONNECT_MS))
    return saidProgress(peer, output, () => peer.files.fetch(command.message))
  })
  const path = await saveIn(command.out, file.name, peer, command.message)
  await output.print({ id: command.message, ...fileJson(file), path }, `Saved ${path} (${sizeWords(file.bytes)}).`)
  return EXIT.done
}

/** Writes beside its place, then gives it its name: no half of a file is ever seen under it, and none is written over. */
export async function saveIn(folder: string, name: string, peer: NodePeer, messageId: string): Promise<string> {
  const directory = resolve(folder)
  const unfinished = join(directory, `.${crypto.randomUUID()}.part`)
  try {
    await makeFolder(directory)
    await writeContent(unfinished, peer, messageId)
    return await giveName(unfinished, directory, name)
  } catch (error) {
    if (error instanceof PeerError) throw error
    throw commandError('not-saved', { folder: directory, detail: detailOf(error) }, { cause: error })
  } finally {
    // Where nothing could be written, nothing can be removed: the reason of the first failure counts.
    await rm(unfinished, { force: true }).catch(() => undefined)
  }
}

/** As `mkdir` with `recursive`, which never returns where the system takes no folder, as below /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || (await isFolder(dirname(path)))) throw error
    await makeFolder(dirname(path))
    await makeFolder(path)
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false
  )

async function writeContent(path: string, peer: NodePeer, messageId: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  for (let index = 0; ; index++) {
    const chunk = await peer.files.chunk(messageId, index)
    if (chunk.length === 0) break
    await file.writeFile(chunk)
  }
  await file.sync()
}

async function giveName(unfinished: string, directory: string, name: string): Promise<string> {
  const ending = extname(name)
  const stem = name.slice(0, name.length - ending.length)
  for (let number = 0; number < MAX_NUMBERED; number++) {
    const path = join(directory, number === 0 ? name : `${stem} (${number})${ending}`)
    try {
      // Fails where the name is taken, unlike a rename.
      await link(unfinished, path).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') throw error
        // Some file systems know no links.
        await copyFile(unfinished, path, constants.COPYFILE_EXCL)
      })
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  throw new Error('every name is taken')
}

/** Reasons of the system in words; the code stays beside them, for those who look it up. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'you have no permission',
  EPERM: 'you have no permission',
  EROFS: 'nothing can be written there',
  ENOTDIR: 'it is not a folder',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long'
}

export function detailOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return message
  return Object.hasOwn(REASONS, code) ? `${REASONS[code]}, ${code}` : code
}
