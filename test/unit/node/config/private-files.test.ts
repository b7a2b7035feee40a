import { lchownSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../node/config/config-error.ts'
import { makePrivate, writePrivateFile } from '../../../../node/config/private-files.ts'
import { temporaryFolder } from '../../../support/network/real-processes/node-process.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const NOBODY = 65_534
const isRoot = process.geteuid?.() === 0

let folder: string
beforeEach(() => (folder = temporaryFolder()))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  it('is made for its owner only, and an open one is closed', () => {
    const data = join(folder, 'a/b')
    makePrivate(data, silentLogger)
    expect(statSync(data).mode & 0o777).toBe(0o700)
    const open = join(folder, 'open')
    const umask = process.umask(0)
    mkdirSync(open, { mode: 0o777 })
    process.umask(umask)
    makePrivate(open, silentLogger)
    expect(statSync(open).mode & 0o777).toBe(0o700)
  })

  it.skipIf(!isRoot)('is refused if another user planted something in it', () => {
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    const data = join(folder, 'data')
    mkdirSync(join(data, 'messages'), { recursive: true })
    symlinkSync(victim, join(data, 'messages/ballast'))
    lchownSync(join(data, 'messages/ballast'), NOBODY, NOBODY)
    expect(() => makePrivate(data, silentLogger)).toThrow(ConfigError)
    expect(() => makePrivate(data, silentLogger)).toThrow('belongs to another user')
  })
})

describe('a private file', () => {
  it('replaces a link in its place, and leaves what the link led to', () => {
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    const file = join(folder, 'listening.json')
    symlinkSync(victim, file)
    writePrivateFile(file, '{}')
    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(readFileSync(file, 'utf8')).toBe('{}')
    expect(lstatSync(file).mode & 0o777).toBe(0o600)
    writePrivateFile(file, '[]')
    expect(readFileSync(file, 'utf8')).toBe('[]')
  })
})
