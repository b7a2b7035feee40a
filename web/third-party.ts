import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

/** The file in the built app; the page about Volo links to it. */
const FILE_NAME = 'licences.txt'
/** The folder of the package that a bundled module is from. */
const PACKAGE = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/
/** Fonts reach the app through CSS, which no bundle lists. */
const FONTS = join(import.meta.dirname, '../node_modules/@fontsource-variable')
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i

/**
 * Writes a file with the licences of everything that the bundles contain: of each package its name, version and licence,
 * and the text of it where the package brings one.
 */
export function thirdParty(): { collect: () => Plugin; write: () => Plugin } {
  const folders = new Set<string>()
  let outDir = ''
  return {
    // The worker's bundle has plugins of its own.
    collect: () => ({
      name: 'volo:third-party',
      apply: 'build',
      generateBundle(_options, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type !== 'chunk') continue
          for (const id of chunk.moduleIds) {
            const folder = PACKAGE.exec(id.replace(/^\0/, ''))?.[1]
            if (folder) folders.add(folder)
          }
        }
      }
    }),
    write: () => ({
      name: 'volo:third-party-file',
      apply: 'build',
      configResolved: config => {
        outDir = config.build.outDir
      },
      closeBundle: {
        order: 'pre',
        sequential: true,
        handler: () => writeFileSync(join(outDir, FILE_NAME), licencesOf([...folders, ...fontFolders()]))
      }
    })
  }
}

const fontFolders = (): string[] => readdirSync(FONTS).map(name => join(FONTS, name))

function licencesOf(folders: string[]): string {
  const texts = folders.filter(folder => existsSync(join(folder, 'package.json'))).map(licenceOf)
  return `Volo contains the following packages.\n\n${[...new Set(texts)].toSorted().join('\n')}`
}

function licenceOf(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const file = readdirSync(folder).find(name => LICENCE_FILE.test(name))
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : ''
  return `${String(about['name'])} ${String(about['version'])}, ${String(about['license'])}\n\n${text}\n`
}
