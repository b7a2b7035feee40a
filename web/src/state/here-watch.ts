import type { PeerApi } from '../../../peer/peer-api.ts'

/** That the page is looked at is said again after this. */
const REPEAT_MS = 60_000

/**
 * Says that the user is here while this page is on the screen: accepted people who ask see it.
 * @returns ends it.
 */
export function watchHere(people: Pick<PeerApi['people'], 'setHere'>): () => void {
  let timer: ReturnType<typeof setInterval> | undefined
  let isSaid = false
  const say = (isHere: boolean): void => {
    isSaid = isHere
    people.setHere(isHere).catch(error => console.warn(error))
  }
  const look = (): void => {
    clearInterval(timer)
    const isVisible = document.visibilityState === 'visible'
    if (isVisible) timer = setInterval(() => say(true), REPEAT_MS)
    if (isVisible || isSaid) say(isVisible)
  }
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    document.removeEventListener('visibilitychange', look)
    clearInterval(timer)
    if (isSaid) say(false)
  }
}
