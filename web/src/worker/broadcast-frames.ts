import type { FramePort, HostFrame, TabFrame } from './frames.ts'

/** Name of the channel between tabs and the leading worker, where there are no shared workers. */
export const CHANNEL_NAME = 'volo-peer'

/** The frames of the channel. With `all` the leader says that it is there. */
export type ChannelFrame =
  { to: 'host'; tab: string; frame: TabFrame } | { to: 'tab'; tab: string; frame: HostFrame } | { to: 'all' }

/** The part of a BroadcastChannel in use. */
export interface Channel {
  postMessage(message: ChannelFrame): void
  addEventListener(type: 'message', listener: (event: { data: ChannelFrame }) => void): void
}

/** A tab's port to the worker that leads. @param tab - random, unique among tabs. */
export function tabFrames(channel: Channel, tab: string): FramePort<TabFrame, HostFrame> {
  return {
    send: frame => channel.postMessage({ to: 'host', tab, frame }),
    listen(onFrame) {
      channel.addEventListener('message', ({ data }) => {
        if (data.to === 'tab' && data.tab === tab) onFrame(data.frame)
        // The empty frame makes the new leader take this tab in; it answers with `hello`.
        if (data.to === 'all') channel.postMessage({ to: 'host', tab, frame: { kind: 'knock' } })
      })
      channel.postMessage({ to: 'host', tab, frame: { kind: 'knock' } })
    }
  }
}

/** The leader's end: one port for each tab that knocks, handed to `onTab`. */
export function leadTabs(channel: Channel, onTab: (port: FramePort<HostFrame, TabFrame>) => void): void {
  const tabs = new Map<string, (frame: TabFrame) => void>()
  channel.addEventListener('message', ({ data }) => {
    if (data.to !== 'host') return
    if (!tabs.has(data.tab)) {
      onTab({
        send: frame => channel.postMessage({ to: 'tab', tab: data.tab, frame }),
        listen: onFrame => void tabs.set(data.tab, onFrame)
      })
    }
    tabs.get(data.tab)?.(data.frame)
    if (data.frame.kind === 'bye') tabs.delete(data.tab)
  })
  channel.postMessage({ to: 'all' })
}
