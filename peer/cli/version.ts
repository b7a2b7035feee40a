import { readFile } from 'node:fs/promises'

/** Version of this package, from the package.json above the build. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
