// How much fits on a screen: everything is measured in rem, so one number says it.
export type Density = 'normal' | 'compact'

let current = $state<Density>('normal')
export const density = (): Density => current

export function setDensity(next: Density): void {
  current = next
  document.documentElement.dataset['density'] = next
  localStorage.setItem('density', next)
}

export function startDensity(): void {
  setDensity(localStorage.getItem('density') === 'compact' ? 'compact' : 'normal')
}
