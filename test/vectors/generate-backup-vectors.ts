/** Writes backup.json beside this file: `node test/vectors/generate-backup-vectors.ts`. Only for a new version of the format. */
import { writeFileSync } from 'node:fs'
import { createNobleCrypto } from '../../protocol/crypto/noble.ts'
import { makeBackupVectors } from './backup-vectors.ts'

const vectors = await makeBackupVectors(createNobleCrypto(length => new Uint8Array(length)))
writeFileSync(new URL('backup.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`)
