import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Reads a node's counters at its administration port. @param dataDir - of the node. @returns name → value. */
export async function nodeMetrics(dataDir: string): Promise<Map<string, number>> {
  const { adminUrl } = JSON.parse(readFileSync(join(dataDir, 'listening.json'), 'utf8')) as { adminUrl: string }
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const samples = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}
