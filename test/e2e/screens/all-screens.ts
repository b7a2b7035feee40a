import { CHAT_SCREENS } from './chat-screens.ts'
import { GROUP_SCREENS } from './group-screens.ts'
import { OWN_SCREENS } from './own-screens.ts'
import { PEOPLE_SCREENS } from './people-screens.ts'
import type { Screen } from './screen.ts'
import { WELCOME_SCREENS } from './welcome-screens.ts'

/** Every screen and state that is looked at, and checked for accessibility, by the part of the app that it belongs to. */
export const SCREENS_BY_AREA = {
  welcome: WELCOME_SCREENS,
  chats: CHAT_SCREENS,
  groups: GROUP_SCREENS,
  people: PEOPLE_SCREENS,
  you: OWN_SCREENS
}

const ALL = Object.values(SCREENS_BY_AREA).flat()

/** @throws Error if there is no screen of that name. */
export function screenNamed(name: string): Screen {
  const screen = ALL.find(each => each.name === name)
  if (!screen) throw new Error(`there is no screen "${name}"`)
  return screen
}
