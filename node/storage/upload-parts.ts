import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccountHex, UploadName } from './object-records.ts'
import { UploadFile, type EarlyParts } from './upload-file.ts'

/** Form of the file names here. */
const FILE_NAME = /^([0-9a-f]{64})-([0-9a-f]{64})$/

/** The files of unfinished uploads, so that an upload goes on after a restart of either side. */
export class UploadParts {
  readonly #directory: string
  readonly #early: EarlyParts = { count: 0 }
  /** Of the uploads that this process has seen. */
  readonly #files = new Map<string, UploadFile>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @param size - of the whole object: the same for each call. */
  file(account: AccountHex, name: UploadName, size: number): UploadFile {
    const path = this.#path(account, name)
    const known = this.#files.get(path)
    if (known) return known
    const file = new UploadFile(path, size, this.#early)
    this.#files.set(path, file)
    return file
  }

  /** Every upload that has left something here. */
  async all(): Promise<[AccountHex, UploadName][]> {
    const names = await readdir(this.#directory).catch(() => [])
    return names.flatMap(name => {
      const [, account, upload] = FILE_NAME.exec(name) ?? []
      return account !== undefined && upload !== undefined ? [[account, upload] as [AccountHex, UploadName]] : []
    })
  }

  async remove(account: AccountHex, name: UploadName): Promise<void> {
    const path = this.#path(account, name)
    const file = this.#files.get(path)
    this.#files.delete(path)
    await file?.remove()
    // Of an earlier process; version 0.0 kept a folder.
    await rm(path, { recursive: true, force: true })
  }

  #path(account: AccountHex, name: UploadName): string {
    return join(this.#directory, `${account}-${name}`)
  }
}
