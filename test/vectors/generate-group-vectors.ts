/** Writes groups.json beside this file: `node test/vectors/generate-group-vectors.ts`. Only for a new version of the format. */
import { writeFileSync } from 'node:fs'
import { makeGroupVectors } from './group-vectors.ts'

const vectors = await makeGroupVectors()
writeFileSync(new URL('groups.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`)
