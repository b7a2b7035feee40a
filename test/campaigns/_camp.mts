import { LieField, runForgedAnswers } from './forged-answers.ts'
const f = await LieField.start()
try {
  for (const [seed, secondSource] of [
    [11, true],
    [12, true],
    [11, false]
  ] as const) {
    const t = Date.now()
    const r = await runForgedAnswers(f, { seed, lies: 1000, secondSource })
    console.log(JSON.stringify(r), Date.now() - t)
  }
} finally {
  await f.stop()
}
