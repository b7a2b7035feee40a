import type { Notice, NoticePlatform } from './message-notifications.svelte.ts'

/** Shows notices through the browser. @param open - goes to a place in the app, on a click. */
export function browserNotices(open: (link: string) => void): NoticePlatform {
  return {
    permission: () => ('Notification' in window ? Notification.permission : null),
    ask: () => Notification.requestPermission(),
    show: notice => show(notice, open)
  }
}

async function show({ title, body, tag, link, language }: Notice, open: (link: string) => void): Promise<void> {
  const options = { body, tag, lang: language.tag, dir: language.direction, icon: './icon-192.png', data: { link } }
  // Chrome on Android shows notices of a service worker only; its click is answered in service-worker.ts.
  const worker = await navigator.serviceWorker?.getRegistration()
  if (worker?.active) return worker.showNotification(title, options)
  const notification = new Notification(title, options)
  notification.onclick = () => {
    window.focus()
    notification.close()
    open(link)
  }
}

/** Shows how many messages are unread on the icon of the installed app, where the system has that. */
export async function badgeIcon(unread: number): Promise<void> {
  if (!('setAppBadge' in navigator)) return
  await (unread > 0 ? navigator.setAppBadge(unread) : navigator.clearAppBadge()).catch(() => undefined)
}
