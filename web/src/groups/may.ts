import type { GroupSummary } from '../../../peer/peer-api.ts'

/** Whether the user may add people to a group, and so invite them. */
export const mayAddPeople = ({ role, rights }: GroupSummary): boolean =>
  role === 'admin' || (role !== null && rights.add === 'members')

/** Whether the user may change name, description and picture of a group. */
export const mayEditGroup = ({ role, rights }: GroupSummary): boolean =>
  role === 'admin' || (role !== null && rights.edit === 'members')
