import type { Browser, Page } from '@playwright/test'

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** Microseconds of processor time. */
  tdur?: number
  args?: { name?: string }
}

/**
 * Runs something in a page. Counts the time of the processor, as the browser's trace tells it: a busy machine makes a task last
 * longer on the clock, and no longer here.
 *
 * @returns milliseconds of the longest task of the page's main thread meanwhile.
 */
export async function longestTask(browser: Browser, page: Page, act: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] })
  let trace: Buffer
  try {
    await act()
    // What the last step began is drawn.
    await page.evaluate(
      () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))))
    )
  } finally {
    trace = await browser.stopTracing()
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}.${tid}`
  const isMain = (event: TraceEvent): boolean => event.name === 'thread_name' && event.args?.name === 'CrRendererMain'
  const mains = new Set(traceEvents.filter(isMain).map(threadOf))
  const tasks = traceEvents.filter(event => /RunTask$/.test(event.name) && mains.has(threadOf(event)))
  if (tasks.length === 0) throw new Error('the trace has no task of a main thread')
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1_000
}
