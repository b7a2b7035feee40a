/** Writes files.json beside this file: `node test/vectors/generate-file-vectors.ts`. Only for a new version of the format. */
import { writeFileSync } from 'node:fs'
import { makeFileVectors } from './file-vectors.ts'

const vectors = await makeFileVectors()
writeFileSync(new URL('files.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`)
