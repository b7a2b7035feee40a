import { readFile } from 'node:fs/promises'

/** Where package.json is from here: two folders up in the sources, three in the build. */
const PLACES = ['../../package.json', '../../../package.json']

/** Version of this package. */
export async function readVersion(): Promise<string> {
  for (const place of PLACES) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => undefined)
    if (text !== undefined) return (JSON.parse(text) as { version: string }).version
  }
  throw new Error('package.json is missing: install Volo again')
}
