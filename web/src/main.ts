// Start: theme and language of the person, who it is, then the app.
import { mount } from 'svelte'
import Root from './Root.svelte'
import { startLanguage } from '$lib/i18n/language.svelte'
import { startDensity } from '$lib/density.svelte'
import { startRouter } from '$lib/router.svelte'
import { startSession } from '$lib/session.svelte'
import { startTheme } from '$lib/theme.svelte'
import './base.css'

startTheme()
startDensity()
startRouter()
await Promise.all([startLanguage(), startSession()])
mount(Root, { target: document.getElementById('app')! })
