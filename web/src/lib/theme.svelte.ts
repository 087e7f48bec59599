// Light, dark, or as the system has it. data-theme on the root decides; charts and editors read the colours from there.
export type Theme = 'light' | 'dark' | 'system'

const system = matchMedia('(prefers-color-scheme: dark)')

class Look {
  wanted = $state<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'system')
  system = $state(system.matches)
  get dark(): boolean {
    return this.wanted === 'system' ? this.system : this.wanted === 'dark'
  }
}
export const look = new Look()

export function setTheme(theme: Theme): void {
  look.wanted = theme
  localStorage.setItem('theme', theme)
  show()
}

export function startTheme(): void {
  system.addEventListener('change', () => {
    look.system = system.matches
    show()
  })
  show()
}

function show(): void {
  document.documentElement.dataset['theme'] = look.dark ? 'dark' : 'light'
}
