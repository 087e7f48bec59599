// Start: theme and language of the person, then the app.
import { mount } from 'svelte'
import App from './App.svelte'
import { startLanguage } from '$lib/i18n/language.svelte'
import { startDensity } from '$lib/density.svelte'
import { startRouter } from '$lib/router.svelte'
import { startTheme } from '$lib/theme.svelte'
import './base.css'

startTheme()
startDensity()
startRouter()
await startLanguage()
mount(App, { target: document.getElementById('app')! })
