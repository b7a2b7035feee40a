/** The dashboard and docs/operators against a node that runs: metrics, commands and settings have the same names everywhere. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SETTING_NAMES, SETTINGS } from '../../../node/config/settings.ts'
import { NODE_COMMANDS } from '../../../node/operator/node-commands.ts'
import { OPERATOR_COMMANDS } from '../../../node/operator/chain-commands.ts'
import { NodeProcess, root } from '../../support/network/real-processes/node-process.ts'

/** Only where lists of nodes follow the chain. */
const WITH_PLACEMENT = ['volo_placement_boundary', 'volo_placement_held_back', 'volo_placement_lists']
const COMMANDS = [...NODE_COMMANDS, ...OPERATOR_COMMANDS, 'start', 'config', 'key', 'chain']

const operators = join(root, 'docs', 'operators')
const docs = [join(root, 'docs', 'operating.md'), ...readdirSync(operators).map(name => join(operators, name))]
  .map(file => readFileSync(file, 'utf8'))
  .join('\n')

let node: NodeProcess
let names: Set<string>
beforeAll(async () => {
  // With every way to sign in, so that it has every route.
  node = await NodeProcess.start({ env: { VOLO_WALLET_SIGN_IN: 'true' } })
  const text = await (await fetch(`${node.adminUrl}/metrics`)).text()
  names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!))
})
afterAll(() => node?.dispose())

const found = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name]) => name!))
]

describe('the dashboard', () => {
  it('asks only for metrics that a node has', () => {
    const file = join(root, 'docker', 'monitoring', 'volo-dashboard.json')
    const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: { targets?: { expr: string }[] }[] }
    const asked = panels
      .flatMap(({ targets = [] }) => targets)
      .flatMap(({ expr }) => found(expr, /\b((?:volo|process|nodejs)_[a-z0-9_]+)/g))
    expect(asked.length).toBeGreaterThan(20)
    expect(asked.filter(name => !names.has(name))).toEqual([])
  })
})

describe('docs/operators', () => {
  it('name every metric, and none that is not there', () => {
    const real = [...names].filter(name => name.startsWith('volo_')).concat(WITH_PLACEMENT)
    expect(found(docs, /\b(volo_[a-z0-9_]+)/g).sort()).toEqual([...new Set(real)].sort())
  })

  it('name every command, and none that is not there', () => {
    const named = found(docs, /volo-node ([a-z]+)\b/g)
    expect(COMMANDS.filter(command => !docs.includes(`volo-node ${command}`))).toEqual([])
    expect(found(docs, /`volo-node ([a-z]+)/g).filter(command => !COMMANDS.includes(command))).toEqual([])
    expect(named.length).toBeGreaterThan(8)
  })

  it('name only settings that exist', () => {
    const real = new Set<string>([
      ...SETTING_NAMES.flatMap(name => [...SETTINGS[name].env]),
      'VOLO_CONFIG_FILE',
      'VOLO_DOMAIN'
    ])
    expect(found(docs, /\b(VOLO_[A-Z_]+[A-Z])\b/g).filter(name => !real.has(name))).toEqual([])
  })
})

describe('docs/http-api.md', () => {
  it('names every route with its method, and none that is not there', async () => {
    const { paths } = (await (await fetch(`${node.url}/v1/openapi.json`)).json()) as { paths: Record<string, object> }
    const real = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
    )
    const text = readFileSync(join(root, 'docs', 'http-api.md'), 'utf8')
    const named = found(text, /`((?:GET|POST|PUT|DELETE|PATCH) \/[^`?\s]+)/g).map(route =>
      route.replace('NAME.json', ':file')
    )
    // The description of the routes does not describe itself.
    expect(named.filter(route => route !== 'GET /v1/openapi.json').sort()).toEqual(real.sort())
  })
})
