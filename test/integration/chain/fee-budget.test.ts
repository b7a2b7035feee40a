import { expect, it } from 'vitest'
import { NodeProcess } from '../../support/network/real-processes/node-process.ts'
import { registerDevice } from '../../support/sign-in.ts'

const metric = (text: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])

it('a spent budget is a warning and a metric; people still register and chat', async () => {
  const node = await NodeProcess.start({ env: { VOLO_HOURLY_BUDGET_ADA: '0.3' } })
  try {
    const ready = async () =>
      (await (await fetch(`${node.url}/readyz`)).json()) as { ready: boolean; warnings: { message: string }[] }
    const metrics = async () => (await fetch(`${node.adminUrl}/metrics`)).text()
    await registerDevice(node.url, 'first')
    await expect
      .poll(async () => metric(await metrics(), 'volo_publisher_spent_lovelace'), { timeout: 60_000 })
      .toBeGreaterThan(0)
    await registerDevice(node.url, 'second')
    await expect
      .poll(async () => JSON.stringify((await ready()).warnings), { timeout: 60_000 })
      .toMatch(/budget of 300000 lovelace an hour is used up/)
    expect((await ready()).ready).toBe(true)
    const text = await metrics()
    expect(metric(text, 'volo_publisher_budget_lovelace')).toBe(300_000)
    expect(metric(text, 'volo_publisher_spent_lovelace')).toBeLessThanOrEqual(300_000)
  } finally {
    await node.dispose()
  }
})
