import { merge } from '$lib/i18n/language.svelte'

export default merge(import.meta.glob<Record<string, string>>('./zh/*.json', { eager: true, import: 'default' }))
