// Start: theme and language of the person, who it is, then the app.
import { mount } from 'svelte'
import Root from './Root.svelte'
import { startLanguage } from '$lib/i18n/language.svelte'
import { startDensity } from '$lib/density.svelte'
import { here, startRouter } from '$lib/router.svelte'
import { startSession } from '$lib/session.svelte'
import { startTheme } from '$lib/theme.svelte'
import { pageAt } from './pages'
import './base.css'

startTheme()
startDensity()
startRouter()
// The page's own code is fetched while the server says who it is.
void pageAt(here.path)?.page.load().catch(() => {})
await Promise.all([startLanguage(), startSession()])
mount(Root, { target: document.getElementById('app')! })
