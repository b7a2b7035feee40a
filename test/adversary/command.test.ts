import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

const MAIN = new URL('./campaigns/main.ts', import.meta.url).pathname

function campaign(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('npm run campaign', () => {
  it('prints one JSON line with what it tried and what failed', () => {
    const { status, stdout } = campaign('name-races', '--seed', '4', '--budget', '30')
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({ campaign: 'name-races', seed: 4, runs: 30, failures: 0, stolen: 0 })
  })

  it('begins nothing new once its time is over', () => {
    const { status, stdout } = campaign('name-races', '--seconds', '1')
    expect(status).toBe(0)
    expect((JSON.parse(stdout) as { runs: number }).runs).toBeLessThan(10_000)
  })

  it('explains itself, and refuses what it does not know', () => {
    expect(campaign('--help').stdout).toContain('directory-forks')
    for (const args of [
      [],
      ['nothing'],
      ['constructor'],
      ['junk', 'fuzz'],
      ['junk', '--seed', 'x'],
      ['junk', '--nope']
    ]) {
      const { status, stdout, stderr } = campaign(...args)
      expect(status, args.join(' ')).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toContain('Usage')
    }
  })
})
