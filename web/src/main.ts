// Start: the language of the person, then the app.
import { mount } from 'svelte'
import App from './App.svelte'
import { startLanguage } from '$lib/i18n/language.svelte'
import './base.css'

await startLanguage()
mount(App, { target: document.getElementById('app')! })
