/**
 * The objects of a node in its backup: the files of the disk storage, as they are. An object never changes once it has its
 * name, and its file carries its own checksums, so that the files can be copied while the node runs.
 */
import { mkdir, open, copyFile, readdir, stat } from 'node:fs/promises'
import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { syncFolder } from './backup-folder.ts'

/** Folder of the objects in a backup. */
export const OBJECTS_FOLDER = 'objects'
/** Folder of the objects below a data folder, see `DiskStorageAdapter`. */
export const STORED_OBJECTS = join('storage', 'objects')

const OWNER_ONLY_FOLDER = 0o700

/** How many objects there are, and the bytes of their files. */
export interface ObjectSum {
  count: number
  bytes: number
}

/**
 * Copies every object. One that the node removes meanwhile is left out; one that comes meanwhile may be in or not.
 * @returns what was copied; all of it is on the disk.
 */
export async function copyObjects(from: string, to: string): Promise<ObjectSum> {
  const sum = { count: 0, bytes: 0 }
  let folder: string | undefined
  for await (const { name, bytes } of objectsIn(from)) {
    const target = join(to, name)
    if (dirname(target) !== folder) {
      if (folder !== undefined) await syncFolder(folder)
      folder = dirname(target)
      await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
    }
    if (!(await copied(join(from, name), target))) continue
    sum.count++
    sum.bytes += bytes
  }
  if (folder !== undefined) await syncFolder(folder)
  return sum
}

/** Counts the objects in a folder; nothing if it is not there. */
export async function countObjects(folder: string): Promise<ObjectSum> {
  const sum = { count: 0, bytes: 0 }
  for await (const { bytes } of objectsIn(folder)) {
    sum.count++
    sum.bytes += bytes
  }
  return sum
}

/** Objects are in folders of two hex digits. */
async function* objectsIn(folder: string): AsyncIterable<{ name: string; bytes: number }> {
  for (const part of await namesIn(folder)) {
    for (const object of await namesIn(join(folder, part))) {
      const name = join(part, object)
      const bytes = await sizeOf(join(folder, name))
      if (bytes !== undefined) yield { name, bytes }
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await ifThere(readdir(folder)))?.sort() ?? []
}

/** @returns undefined for what is gone, and for what is no file. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await ifThere(stat(path))
  return found?.isFile() ? found.size : undefined
}

/** @returns whether the file was there. */
async function copied(from: string, to: string): Promise<boolean> {
  const isThere = await ifThere(
    copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).then(() => true)
  )
  if (!isThere) return false
  await using file = await open(to, 'r')
  await file.sync()
  return true
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
