import type { Param, Value } from './param'

// What every control of a form gets.
export type Control = {
  p: Param
  id: string
  name: string
  value: Value | undefined
  set: (value: Value | undefined) => void
  disabled: boolean
  invalid: boolean
  describedby: string | undefined
}
